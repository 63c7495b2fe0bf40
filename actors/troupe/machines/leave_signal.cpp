// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/leave_signal.hpp>

#include <troupe/os/boot_clock.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/signals.hpp>

#include <atomic>
#include <csignal>
#include <cstdint>

namespace troupe::machines {

namespace {

// All seq_cst, for the handler. `event_fd` is set by `install` before there is
// one. `in_effect` is set once. `first` is set by the handler alone, before it
// rings the event, and read by who has been rung.
std::atomic<int> event_fd{-1};
std::atomic<bool> in_effect{false};
std::atomic<std::int64_t> first{0};

/// `timeout`, and others who start programs, signal a program and then its
/// process group: two at once are one.
constexpr std::int64_t at_once = 20'000'000;

void handle(int signal, bool) {
  if (!in_effect.load())
    os::die_of(signal);
  const auto now = os::boot_now();
  std::int64_t none = 0;
  if (!first.compare_exchange_strong(none, now) && now - none > at_once)
    os::die_of(signal);
  os::notify_event(event_fd.load());
}

} // namespace

void leave_signal::install() {
  // Never closed.
  event_fd.store(os::make_event().release());
  for (const int signal : {SIGINT, SIGTERM})
    if (os::disposition_of(signal) == os::disposition::usual)
      os::on_signal(signal, handle);
}

void leave_signal::take_effect() noexcept {
  in_effect.store(true);
}

bool leave_signal::came() noexcept {
  return first.load() != 0;
}

int leave_signal::event() noexcept {
  return event_fd.load();
}

} // namespace troupe::machines
