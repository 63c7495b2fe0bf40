// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/spinner.hpp>

#include <troupe/os/processors.hpp>

namespace troupe::mailbox {

spinner& spinner::of_this_thread() noexcept {
  thread_local constinit spinner mine;
  return mine;
}

bool spinner::single_processor() {
  static const bool single = os::available_processors() == 1;
  return single;
}

} // namespace troupe::mailbox
