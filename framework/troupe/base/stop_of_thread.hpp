// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stop_token>
#include <utility>

namespace troupe {

/// Lets another thread end what this thread waits for.
///
/// A thread that runs code of a user's for others, as the one that reads the
/// input of `imap` does, makes one of these. While it exists, this thread's
/// waiting for items of queues and pipes, and for results of pools, ends with
/// `cancelled` once the token is told to stop. Nothing else that it waits for
/// ends by that: system calls, sleeping, locks.
class stop_of_thread {
public:
  explicit stop_of_thread(std::stop_token token) noexcept
    : token_(std::move(token)), before_(std::exchange(current_, &token_)) {
  }

  ~stop_of_thread() {
    current_ = before_;
  }

  stop_of_thread(const stop_of_thread&) = delete;
  stop_of_thread& operator=(const stop_of_thread&) = delete;

  /// The calling thread's token; nullptr where nobody can stop it.
  [[nodiscard]] static const std::stop_token* current() noexcept {
    return current_;
  }

private:
  std::stop_token token_;
  const std::stop_token* before_;

  static inline thread_local constinit const std::stop_token* current_
    = nullptr;
};

} // namespace troupe
