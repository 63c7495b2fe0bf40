// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/thread.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/child.hpp>

#include <cerrno>
#include <string>

#include <sys/resource.h>

namespace troupe::os {

void throw_no_thread(const std::system_error& failure) {
  const int error = failure.code().value();
  auto advice = advice_for_refused_process(error);
  rlimit limit{};
  // The library says the same of a stack that finds no address space.
  if (error == EAGAIN && ::getrlimit(RLIMIT_AS, &limit) == 0
      && limit.rlim_cur != RLIM_INFINITY)
    advice += ", or lift that of address space (ulimit -v, now "
              + std::to_string(limit.rlim_cur / 1024) + ")";
  throw os_failure("start a thread", advice, error);
}

} // namespace troupe::os
