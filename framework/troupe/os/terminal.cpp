// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/terminal.hpp>

#include <unistd.h>

namespace troupe::os {

bool errors_go_to_terminal() noexcept {
  return ::isatty(STDERR_FILENO) == 1;
}

} // namespace troupe::os
