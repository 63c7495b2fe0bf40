// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/redirection.hpp>

#include <troupe/base/error.hpp>

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace troupe::os {

descriptor duplicate_standard(int number) {
  constexpr int lowest = 3;
  descriptor made{::fcntl(number, F_DUPFD_CLOEXEC, lowest)};
  if (!made && errno != EBADF)
    throw os_failure("duplicate descriptor " + std::to_string(number),
                     "raise the limit of open files");
  return made;
}

void put_at(int number, const descriptor& fd) {
  if (::dup2(fd.get(), number) < 0)
    throw os_failure("redirect descriptor " + std::to_string(number));
}

void write_if_room(int fd, std::string_view text) noexcept {
  pollfd room{fd, POLLOUT, 0};
  if (fd >= 0 && ::poll(&room, 1, 0) > 0 && (room.revents & POLLOUT) != 0) {
    [[maybe_unused]] const auto written = ::write(fd, text.data(), text.size());
  }
}

} // namespace troupe::os
