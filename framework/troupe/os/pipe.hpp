// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/os/descriptor.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace troupe::os {

/// Both ends of a pipe, closed on exec, never numbered 0 to 2.
struct pipe_ends {
  descriptor reader;
  descriptor writer;
};

/// Throws `os_failure`.
[[nodiscard]] pipe_ends make_pipe();

/// Lets the pipe hold at least `bytes` that nobody has read yet, as far as the
/// machine allows (/proc/sys/fs/pipe-max-size).
void widen_pipe(int fd, std::size_t bytes) noexcept;

/// Returns a descriptor of the same open file whose number is above 2, so that
/// a program with closed standard streams does not write into ours.
[[nodiscard]] descriptor above_standard(descriptor fd);

/// Writes all of `text`, however many calls it takes. Returns false when the
/// other side is gone or the descriptor closed: there is nobody to tell.
bool write_all(int fd, std::string_view text) noexcept;

/// Which file a descriptor is open on: nobody else's as long as it is open.
struct file_identity {
  std::uint64_t device = 0;
  std::uint64_t number = 0;

  [[nodiscard]] bool operator==(const file_identity&) const = default;
};

/// All zero for a descriptor that is not open.
[[nodiscard]] file_identity identity_of(int fd) noexcept;

/// Returns whether the open file `fd` is a pipe, or a regular file if
/// `regular`, that was made by the effective user of the calling process.
[[nodiscard]] bool is_own_file(int fd, bool regular) noexcept;

/// From now on reading from `fd` does not wait, whoever has it open.
void let_not_wait(int fd) noexcept;

/// Reads at most `into.size()` bytes; 0 at the end or when there is nothing
/// yet in a descriptor that does not block.
[[nodiscard]] std::size_t read_some(int fd, std::span<std::byte> into) noexcept;

/// What to wait for, and what came of it.
struct watched {
  int fd = -1;
  bool ready = false;
  /// False: there is no such descriptor.
  bool open = true;
};

/// Waits until one of `fds` is readable or its other end is closed.
/// Returns false when the limit has passed; spurious true on a signal.
bool wait_readable(std::span<watched> fds, deadline limit);

/// Opens an eventfd: readable once it was notified. Throws `os_failure`.
[[nodiscard]] descriptor make_event();

/// Makes the eventfd readable. May be called from a signal handler.
void notify_event(int fd) noexcept;

/// Makes the eventfd not readable again.
void clear_event(int fd) noexcept;

} // namespace troupe::os
