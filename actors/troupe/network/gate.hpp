// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/address.hpp>
#include <troupe/network/handshake.hpp>
#include <troupe/network/limits.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace troupe::network {

/// Counts the connections of a listener and puts strangers off: those that have
/// not shown the key. Each that is turned away is told of once, by a line on
/// standard error. Thread-safe.
class gate : public std::enable_shared_from_this<gate> {
public:
  gate(const limits& bounds, address at);

  /// Lets connection `fd` in. Where there are too many strangers, the one that
  /// has been one for longest must go, since a client is one for milliseconds.
  /// Returns nullptr where there are too many all the same: then close it.
  [[nodiscard]] std::unique_ptr<handshake> admit(int fd);

  /// Ends the connections of strangers whose time is over.
  void end_overdue();

  /// Tells that one who has the key was turned away: there are too many.
  void tell_full();

  /// Nobody is told any more.
  void close() noexcept;

  [[nodiscard]] std::uint32_t strangers() const;
  [[nodiscard]] std::uint32_t clients() const;

private:
  using clock = std::chrono::steady_clock;

  struct guest {
    clock::time_point came;
    std::string name;
    bool has_key = false;
    /// Why it must go, and is about to.
    std::string sent_away;
  };

  class visitor;

  void passed(int fd) noexcept;
  void cut_off(int fd, std::uint64_t size) noexcept;
  void left(int fd) noexcept;
  void send_away(int fd, guest& of, std::string why) noexcept;
  [[nodiscard]] std::uint32_t waiting() const noexcept;
  [[nodiscard]] std::string too_many_strangers() const;
  [[nodiscard]] std::string too_many_clients() const;
  /// What is to be told of it: nothing if closed. With the mutex held.
  [[nodiscard]] std::string line_about(const std::string& who,
                                       const std::string& why) const;

  const limits bounds_;
  const address at_;
  mutable std::mutex mutex_;
  std::unordered_map<int, guest> open_;
  std::uint32_t clients_ = 0;
  std::uint32_t leaving_ = 0;
  bool closed_ = false;
};

} // namespace troupe::network
