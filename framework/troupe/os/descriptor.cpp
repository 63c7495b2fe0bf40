// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/descriptor.hpp>

#include <troupe/base/error.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace troupe::os {

void descriptor::reset() noexcept {
  // Not retried on EINTR: Linux has released the number by then.
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

descriptor descriptor::duplicate() const {
  const int fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 3);
  if (fd < 0)
    throw os_failure("duplicate a file descriptor",
                     "raise the limit of open files");
  return descriptor{fd};
}

void close_on_exec(int fd) noexcept {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void set_inheritable(int fd, bool inheritable) {
  if (::fcntl(fd, F_SETFD, inheritable ? 0 : FD_CLOEXEC) != 0)
    throw os_failure("change what an exec does to a file descriptor");
}

} // namespace troupe::os
