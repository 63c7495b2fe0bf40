// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/deadline.hpp>

#include <cstddef>
#include <optional>
#include <span>

/// Reading and writing several pipes at once, by one thread that waits for none
/// of them alone.
namespace troupe::os {

/// A descriptor that is waited for, in one direction.
struct pipe_watch {
  int fd = -1;
  bool writing = false;
  bool ready = false;
};

/// Waits until one of them is ready, or its other end closed; those of a
/// negative number are passed over. False: the limit has passed; spurious true
/// on a signal.
[[nodiscard]] bool wait_for_pipes(std::span<pipe_watch> pipes, deadline limit);

/// Makes reads and writes return instead of waiting.
void set_nonblocking(int fd) noexcept;

/// Reads what is there. 0: the end; nothing: there is nothing now.
[[nodiscard]] std::optional<std::size_t>
read_available(int fd, std::span<std::byte> into) noexcept;

/// Writes what fits. Nothing: nobody will read it. No SIGPIPE is raised.
[[nodiscard]] std::optional<std::size_t>
write_available(int fd, bytes_view from) noexcept;

/// How many bytes wait in a pipe.
[[nodiscard]] std::size_t bytes_waiting(int fd) noexcept;

} // namespace troupe::os
