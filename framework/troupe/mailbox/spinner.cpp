// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/spinner.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/processors.hpp>

#include <algorithm>

namespace troupe::mailbox {

/// Where nobody wants the processor this is a system call in vain, in which no
/// work is seen: the next comes after twice as many turns.
void spinner::yield() noexcept {
  // Nobody else can have run in less.
  constexpr std::chrono::microseconds shortest_slice{2};
  const auto start = clock::now();
  os::yield();
  turns_to_yield_ = clock::now() - start > shortest_slice
                      ? tuning::fewest_turns_to_yield
                      : std::min(turns_to_yield_ * 2,
                                 tuning::most_turns_to_yield);
  since_yield_ = 0;
}

void spinner::woken(clock::time_point since, unsigned waker) noexcept {
  // Of whoever sleeps no longer than that, a longer spin would have succeeded
  // on another processor.
  const auto short_sleep = 4 * how_.longest;
  const auto now = clock::now();
  if (now - since > short_sleep || waker != os::current_processor()) {
    together_ = 0;
    return;
  }
  if (++together_ < tuning::wakes_to_move || now < stay_until_
      || os::has_one_processor())
    return;
  together_ = 0;
  // Where it does not help, since every processor is busy, it gets rare.
  stay_ = now - stay_until_ > tuning::longest_stay
            ? tuning::shortest_stay
            : std::min(2 * stay_, tuning::longest_stay);
  stay_until_ = now + stay_;
  const bool allowed
    = may_move_ || memory::run_memory::current().header().threads_may_move;
  if (tuning::moves_threads && allowed && os::change_processor()) {
    failures_ = 0;
    to_skip_ = 0;
  }
}

} // namespace troupe::mailbox
