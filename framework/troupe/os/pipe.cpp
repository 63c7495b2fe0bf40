// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/pipe.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/held_threads.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::os {

pipe_ends make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw os_failure("create a pipe", "raise the limit of open files");
  descriptor reader{ends[0]};
  descriptor writer{ends[1]};
  return {above_standard(std::move(reader)), above_standard(std::move(writer))};
}

void widen_pipe(int fd, std::size_t bytes) noexcept {
  constexpr std::size_t usual = 65536;
  if (bytes > usual)
    ::fcntl(fd, F_SETPIPE_SZ, static_cast<int>(bytes));
}

descriptor above_standard(descriptor fd) {
  if (!fd || fd.get() > 2)
    return fd;
  return fd.duplicate();
}

bool write_all(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (written < 0 && errno != EINTR) {
      return false;
    }
  }
  return true;
}

file_identity identity_of(int fd) noexcept {
  struct stat found{};
  if (::fstat(fd, &found) != 0)
    return {};
  return {found.st_dev, found.st_ino};
}

bool is_own_file(int fd, bool regular) noexcept {
  struct stat found{};
  return ::fstat(fd, &found) == 0 && found.st_uid == ::geteuid()
         && (regular ? S_ISREG(found.st_mode) : S_ISFIFO(found.st_mode));
}

void let_not_wait(int fd) noexcept {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
}

std::size_t read_some(int fd, std::span<std::byte> into) noexcept {
  for (;;) {
    const auto size = ::read(fd, into.data(), into.size());
    if (size >= 0)
      return static_cast<std::size_t>(size);
    if (errno != EINTR)
      return 0;
  }
}

bool wait_readable(std::span<watched> fds, deadline limit) {
  std::vector<pollfd> polled(fds.size());
  for (std::size_t i = 0; i < fds.size(); ++i)
    polled[i] = {fds[i].fd, POLLIN, 0};
  int milliseconds = -1;
  if (!limit.is_never()) {
    const auto left
      = std::chrono::ceil<std::chrono::milliseconds>(limit.left());
    milliseconds = static_cast<int>(
      std::min<std::chrono::milliseconds::rep>(left.count(), INT_MAX));
  }
  const int count = ::poll(polled.data(), polled.size(), milliseconds);
  stay_if_held();
  for (std::size_t i = 0; i < fds.size(); ++i) {
    fds[i].ready = count > 0 && polled[i].revents != 0;
    fds[i].open = count <= 0 || (polled[i].revents & POLLNVAL) == 0;
  }
  return count != 0;
}

descriptor make_event() {
  descriptor event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!event)
    throw os_failure("create an eventfd", "raise the limit of open files");
  return above_standard(std::move(event));
}

void notify_event(int fd) noexcept {
  const int saved = errno;
  const std::uint64_t one = 1;
  // The only failure is a full counter: then it is readable already.
  [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
  errno = saved;
}

void clear_event(int fd) noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = ::read(fd, &count, sizeof count);
}

} // namespace troupe::os
