// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/connection.hpp>
#include <troupe/network/wakeful_loop.hpp>

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/io/broker.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace troupe::network {

/// The calls of a connection that are on their way. Thread-safe.
struct switchboard {
  /// Unanswered bytes for which `enter` waits.
  static constexpr std::size_t window = 64U << 20;

  struct call {
    std::shared_ptr<answer> to;
    std::size_t size;
    /// A thread waits for the answer and does nothing else.
    bool awaited;
  };

  /// Throws `connection_lost`.
  /// @blocks while the window is full
  [[nodiscard]] std::uint64_t enter(call made);

  /// Returns whether the caller waited for it, and none else is on the way.
  bool answered(std::uint64_t number, bytes content) noexcept;

  [[nodiscard]] std::size_t on_the_way();

  /// Fails all, and whatever comes later. The first reason counts.
  void lose(const std::string& why) noexcept;

  std::string name;
  std::mutex mutex;
  std::condition_variable room;
  std::unordered_map<std::uint64_t, call> calls;
  std::uint64_t last = 0;
  std::size_t size = 0;
  std::size_t waiting = 0;
  std::atomic<bool> lost{false};
  std::string why;
};

/// The actor of a connection that the other end answers to.
caf::behavior plug(caf::io::broker* self, std::shared_ptr<switchboard> board,
                   wakeful_loop* loop);

} // namespace troupe::network
