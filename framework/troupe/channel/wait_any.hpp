// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/channel/connection.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/mailbox/letter_box.hpp>
#include <troupe/process/process.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// Something to wait for, of any kind: what `wait_any` is given.
///
/// It looks at what it was made from, which must outlive it.
class wait_source {
public:
  /// Ready when there is an item, or the end.
  template <class T>
  wait_source(const queue<T>& from) : box_(&from.box()) {
  }

  /// Ready when there is a message, or the end.
  template <class T>
  wait_source(const connection<T>& from) : box_(&from.box()) {
  }

  /// Ready when the process has ended.
  wait_source(process& from) : fd_(from.sentinel()) {
  }

  /// Ready when the descriptor is readable, or its other end is closed. Throws
  /// `invalid_argument` for a negative one.
  wait_source(int fd) : fd_(fd) {
    if (fd < 0)
      throw invalid_argument("wait for descriptor " + std::to_string(fd),
                             "a descriptor is not negative",
                             "look at what the call that opened it returned");
  }

  /// Ready when it has passed.
  wait_source(deadline when) noexcept : when_(when) {
  }

  template <class Clock, class Duration>
  wait_source(const std::chrono::time_point<Clock, Duration>& when)
    : when_(deadline::at(when)) {
  }

  /// Ready that much later than now.
  template <class Rep, class Period>
  wait_source(const std::chrono::duration<Rep, Period>& later)
    : when_(deadline::after(later)) {
  }

  [[nodiscard]] mailbox::letter_box* box() const noexcept {
    return box_;
  }

  [[nodiscard]] int fd() const noexcept {
    return fd_;
  }

  [[nodiscard]] deadline when() const noexcept {
    return when_;
  }

private:
  mailbox::letter_box* box_ = nullptr;
  int fd_ = -1;
  deadline when_ = deadline::never();
};

/// Waits until one of `sources` is ready and returns the index of the first
/// that is. Does not take anything: another may be faster, so take with a
/// `try_` form where others read too.
///
/// Mailboxes alone, and deadlines, cost a spin and a sleep like `get`. With a
/// descriptor or a process among them, this process gets a thread that listens
/// to its bell (once), and the wait is one `poll`.
/// Throws `invalid_argument` (nothing to wait for, a descriptor that is not
/// open), `os_failure`.
/// @blocks on all of them
[[nodiscard]] std::size_t wait_any(std::span<const wait_source> sources);

[[nodiscard]] inline std::size_t
wait_any(const std::vector<wait_source>& sources) {
  return wait_any(std::span<const wait_source>{sources});
}

template <class First, class... More>
  requires(std::is_constructible_v<wait_source, First &&>
           && (std::is_constructible_v<wait_source, More &&> && ...))
[[nodiscard]] std::size_t wait_any(First&& first, More&&... more) {
  const std::array<wait_source, 1 + sizeof...(More)> sources{
    wait_source(std::forward<First>(first)),
    wait_source(std::forward<More>(more))...};
  return wait_any(std::span<const wait_source>{sources});
}

/// Returns the indices of all that are ready now.
[[nodiscard]] std::vector<std::size_t>
all_ready(std::span<const wait_source> sources);

} // namespace troupe
