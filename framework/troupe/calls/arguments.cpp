// SPDX-License-Identifier: BSL-1.0
#include <troupe/calls/arguments.hpp>

#include <troupe/os/crash_point.hpp>

namespace troupe::calls {

void arguments::end_parcel() noexcept {
  TROUPE_CRASH_POINT("process.host.arguments_read");
  carrier_.reset();
}

} // namespace troupe::calls
