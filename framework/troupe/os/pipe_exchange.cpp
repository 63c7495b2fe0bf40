// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/pipe_exchange.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace troupe::os {

namespace {

/// While there is one, SIGPIPE of the calling thread is held back; what was
/// raised meanwhile is taken away.
class without_sigpipe {
public:
  without_sigpipe() noexcept {
    sigset_t pending;
    ::sigpending(&pending);
    // One of the user's own, who has it blocked.
    was_pending_ = sigismember(&pending, SIGPIPE) != 0;
    ::pthread_sigmask(SIG_BLOCK, &only(), &before_);
  }

  ~without_sigpipe() {
    if (!was_pending_) {
      const timespec at_once{};
      while (::sigtimedwait(&only(), nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  without_sigpipe(const without_sigpipe&) = delete;
  without_sigpipe& operator=(const without_sigpipe&) = delete;

private:
  static const sigset_t& only() noexcept {
    static const sigset_t set = [] {
      sigset_t result;
      sigemptyset(&result);
      sigaddset(&result, SIGPIPE);
      return result;
    }();
    return set;
  }

  bool was_pending_;
  sigset_t before_;
};

} // namespace

bool wait_for_pipes(std::span<pipe_watch> pipes, deadline limit) {
  std::vector<pollfd> polled(pipes.size());
  for (std::size_t i = 0; i < pipes.size(); ++i)
    polled[i] = {pipes[i].fd,
                 static_cast<short>(pipes[i].writing ? POLLOUT : POLLIN), 0};
  int milliseconds = -1;
  if (!limit.is_never()) {
    const auto left
      = std::chrono::ceil<std::chrono::milliseconds>(limit.left());
    milliseconds = static_cast<int>(
      std::min<std::chrono::milliseconds::rep>(left.count(), INT_MAX));
  }
  const int count = ::poll(polled.data(), polled.size(), milliseconds);
  for (std::size_t i = 0; i < pipes.size(); ++i)
    pipes[i].ready = count > 0 && polled[i].revents != 0;
  return count != 0;
}

void set_nonblocking(int fd) noexcept {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
}

std::optional<std::size_t> read_available(int fd,
                                          std::span<std::byte> into) noexcept {
  for (;;) {
    const auto size = ::read(fd, into.data(), into.size());
    if (size >= 0)
      return static_cast<std::size_t>(size);
    if (errno == EAGAIN)
      return std::nullopt;
    if (errno != EINTR)
      return 0;
  }
}

std::optional<std::size_t> write_available(int fd, bytes_view from) noexcept {
  const without_sigpipe guard;
  for (;;) {
    const auto size = ::write(fd, from.data(), from.size());
    if (size >= 0)
      return static_cast<std::size_t>(size);
    if (errno == EAGAIN)
      return 0;
    if (errno != EINTR)
      return std::nullopt;
  }
}

std::size_t bytes_waiting(int fd) noexcept {
  int count = 0;
  return ::ioctl(fd, FIONREAD, &count) == 0 && count > 0
           ? static_cast<std::size_t>(count)
           : 0;
}

} // namespace troupe::os
