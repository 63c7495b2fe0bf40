// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/held_threads.hpp>

#include <troupe/os/child.hpp>

#include <atomic>

namespace troupe::os {

namespace {

// Set for ever, with seq_cst, by `hold_threads`; read with relaxed by
// `holds_threads`, which says why.
std::atomic<bool> held{false};
thread_local bool runs_on = false;

} // namespace

void hold_threads() noexcept {
  held.store(true);
}

bool holds_threads() noexcept {
  // relaxed: whoever sees the end of a process that was told after
  // `hold_threads` has it ordered by the process table.
  return held.load(std::memory_order_relaxed);
}

void stay_if_held() noexcept {
  if (holds_threads() && !runs_on)
    stop_this_thread();
}

void let_this_thread_run_on() noexcept {
  runs_on = true;
}

running_on::running_on() noexcept : before_(runs_on) {
  runs_on = true;
}

running_on::~running_on() {
  runs_on = before_;
}

} // namespace troupe::os
