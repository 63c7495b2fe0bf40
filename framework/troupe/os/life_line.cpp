// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/life_line.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/pipe.hpp>

#include <array>
#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace troupe::os {

life_line make_life_line() {
  auto [reader, writer] = make_pipe();
  return {std::move(reader), std::move(writer)};
}

namespace {

/// An end of the calling process's own that sends it `signal` when the root
/// ends.
descriptor own_end(int reader, int signal) {
  // The owner of the signal belongs to the open file, not to the descriptor,
  // so each process needs an open file of its own.
  std::array<char, 32> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", reader);
  auto own = above_standard(
    descriptor{::open(path.data(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)});
  if (!own)
    throw os_failure("open the life-line of the run", "mount /proc");
  if (::fcntl(own.get(), F_SETSIG, signal) != 0
      || ::fcntl(own.get(), F_SETOWN, ::getpid()) != 0
      || ::fcntl(own.get(), F_SETFL, O_ASYNC | O_NONBLOCK) != 0)
    throw os_failure("arm the life-line of the run");
  return own;
}

} // namespace

descriptor arm_life_line(int reader) {
  auto own = own_end(reader, SIGKILL);
  pollfd state{own.get(), POLLIN, 0};
  if (::poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0)
    ::kill(::getpid(), SIGKILL);
  return own;
}

descriptor watch_life_line(int reader) {
  return own_end(reader, SIGCONT);
}

} // namespace troupe::os
