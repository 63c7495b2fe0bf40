// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/spinner.hpp>

#include <troupe/os/processors.hpp>

#include <algorithm>

namespace troupe::mailbox {

bool spinner::single_processor() {
  static const bool single = os::available_processors() == 1;
  return single;
}

void spinner::woken(clock::time_point since, unsigned waker) noexcept {
  const auto now = clock::now();
  if (now - since > short_sleep || waker != os::current_processor()) {
    together_ = 0;
    return;
  }
  if (++together_ < wakes_in_a_row || now < stay_until_ || single_processor())
    return;
  together_ = 0;
  // Where it does not help, since every processor is busy, it gets rare.
  stay_ = now - stay_until_ > longest_stay ? shortest_stay
                                           : std::min(2 * stay_, longest_stay);
  stay_until_ = now + stay_;
  if (os::change_processor()) {
    failures_ = 0;
    to_skip_ = 0;
  }
}

} // namespace troupe::mailbox
