// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/answer.hpp>
#include <troupe/network/carrier.hpp>
#include <troupe/network/frame.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace troupe::network {

/// The calls of a connection that are on their way. Thread-safe.
class call_table {
public:
  explicit call_table(std::string name) : name_(std::move(name)) {
  }

  struct call {
    std::shared_ptr<answer> to;
    std::size_t size = 0;
  };

  /// Counts who waits for an answer while another thread runs the loop.
  class waiter {
  public:
    explicit waiter(call_table& in) noexcept : in_(in) {
      ++in_.waiters_;
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter() {
      --in_.waiters_;
    }

  private:
    call_table& in_;
  };

  /// Returns the call's number. Throws `connection_lost`.
  /// @blocks while `most_unanswered` bytes are unanswered, besides one request
  /// that is longer; such a one, while there is another
  [[nodiscard]] std::uint64_t enter(call made);

  /// Returns whether whoever waits for it is the only one that waits.
  bool answered(std::uint64_t number, arrival& content);

  /// The other end has no answer that could be sent.
  void refused(std::uint64_t number);

  [[nodiscard]] std::size_t on_the_way() const noexcept {
    return on_the_way_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] bool has_waiters() const noexcept {
    return waiters_.load() > 0;
  }

  /// Fails all, and whatever comes later. The first reason counts.
  void lose(const std::string& why) noexcept;

  [[nodiscard]] bool is_lost() const noexcept {
    return lost_;
  }

private:
  /// Empty where there is no such call.
  [[nodiscard]] call take(std::uint64_t number);

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::unordered_map<std::uint64_t, call> calls_;
  // Written under the mutex, read relaxed without it: a hint.
  std::atomic<std::size_t> on_the_way_{0};
  std::uint64_t last_ = 0;
  std::size_t size_ = 0;
  /// Whether one that is longer than all others may be together is on its way.
  bool has_long_ = false;
  std::size_t waiting_ = 0;
  // `waiters_`: seq_cst, counted before `event_loop::lead_on`; read by who
  // brings an answer, and by a guest before it leaves the loop. `lost_`:
  // seq_cst, set under the mutex behind `why_`, for `is_lost` looks without it.
  std::atomic<int> waiters_{0};
  std::atomic<bool> lost_{false};
  std::string why_;
};

} // namespace troupe::network
