// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/address.hpp>
#include <troupe/network/carrier.hpp>
#include <troupe/network/limits.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace troupe::network {

/// Counts the connections of a listener: strangers, which have not said hello
/// with the key, and clients. Each that is turned away is told of by a line on
/// standard error; a flood of them by `line_burst` lines and then by counts.
///
/// Used by the thread that leads the listener's loop; the counters by any.
class admission {
public:
  static constexpr std::uint32_t line_burst = 50;
  static constexpr std::chrono::seconds line_pause{1};
  static constexpr std::chrono::seconds count_pause{2};

  admission(const limits& bounds, address at);

  /// A connection, until it ends.
  class entry {
  public:
    entry(std::shared_ptr<admission> of, std::string name);
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;
    ~entry();

    /// It has shown the key.
    void show_key() noexcept {
      has_key_ = true;
    }

    /// It wants to become a client: false, there are too many.
    [[nodiscard]] bool enter();

    /// It has ended; a client's end is told of only where it broke the rules.
    void left(const loss& why);

  private:
    friend class admission;

    std::shared_ptr<admission> of_;
    std::string name_;
    std::function<void(loss)> end_;
    std::list<entry*>::iterator place_;
    bool has_key_ = false;
    bool entered_ = false;
  };

  /// Lets a connection in; `end` ends it, which calls `left`. Where there are
  /// too many strangers, the one that has been one for longest must go, since
  /// who has the key is a stranger for milliseconds.
  [[nodiscard]] static std::unique_ptr<entry>
  admit(const std::shared_ptr<admission>& of, std::string name,
        std::function<void(loss)> end);

  /// How long a stranger may be one.
  [[nodiscard]] std::chrono::milliseconds handshake() const noexcept {
    return bounds_.handshake;
  }

  /// Tells how many were left out; returns whether there may be more to tell
  /// later.
  bool tell_count();

  /// Ends the connections of those who are no clients.
  void end_strangers();

  /// Nobody is told any more.
  void close() noexcept {
    closed_ = true;
  }

  [[nodiscard]] std::uint32_t strangers() const noexcept {
    return strangers_count_;
  }
  [[nodiscard]] std::uint32_t clients() const noexcept {
    return clients_count_;
  }
  [[nodiscard]] bool has_left_out() const noexcept {
    return left_out_ > 0;
  }

private:
  using clock = std::chrono::steady_clock;

  void tell(const std::string& who, const std::string& why);
  void end_oldest(const loss& why);

  const limits bounds_;
  const address at_;
  /// The one that came first stands first.
  std::list<entry*> strangers_;
  // `strangers_count_` and `clients_count_`: seq_cst, and relaxed would do: the
  // loop changes them, any thread looks, and they publish nothing.
  std::atomic<std::uint32_t> strangers_count_{0};
  std::atomic<std::uint32_t> clients_count_{0};
  std::uint32_t lines_ = line_burst;
  clock::time_point last_line_{};
  std::uint64_t left_out_ = 0;
  bool closed_ = false;
};

} // namespace troupe::network
