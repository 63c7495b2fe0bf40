// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/spin.hpp>

#include <sched.h>

namespace troupe::os {

void yield() noexcept {
  ::sched_yield();
}

} // namespace troupe::os
