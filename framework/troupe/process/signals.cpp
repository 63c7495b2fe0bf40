// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/signals.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/os/wait_word.hpp>
#include <troupe/process/host.hpp>
#include <troupe/process/inherited_descriptors.hpp>
#include <troupe/process/listener.hpp>
#include <troupe/process/root_supervisor.hpp>
#include <troupe/process/table.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <utility>

namespace troupe {

using memory::run_memory;

namespace {

/// Whether this process is about to return. Written by its main thread, read by
/// `pass_by` in any thread; it guards no other data, so relaxed.
constinit std::atomic<bool> ends_by_itself{false};

/// In signal context, of a process that serves others.
void pass_by(int signal, bool from_terminal) {
  auto& memory = run_memory::current();
  const auto bit = hosting::bit_of(signal);
  // A copy that user code has forked off it serves nobody.
  const bool is_own = hosting::is_own_slot();
  if (is_own && ends_by_itself.load(std::memory_order_relaxed))
    return;
  const bool asked = (memory.own_slot().asked.load() & bit) != 0;
  const bool root_listens = (memory.header().root_listens.load() & bit) != 0;
  if (!is_own || asked || (!from_terminal && !root_listens))
    os::die_of_after_handler(signal);
}

} // namespace

std::stop_token interrupt_token(signals which) {
  constexpr auto all
    = static_cast<std::uint32_t>(signals::interrupt | signals::terminate);
  static_cast<void>(run_memory::current());
  const auto set = static_cast<std::uint32_t>(which);
  if (set == 0 || (set & ~all) != 0)
    throw invalid_argument("listen to a set of signals",
                           "it is empty, or has others than "
                           "signals::interrupt and signals::terminate",
                           "name one or both of them");
  if (auto* root_supervisor = hosting::root_supervisor::current())
    return root_supervisor->signals().token(set);
  return hosting::listener::of_this_process().token(set);
}

bool interrupted() {
  return interrupted_by() != 0;
}

int interrupted_by() {
  return static_cast<int>(run_memory::current().header().interrupted.load()
                          % memory::run_header::interrupt_told);
}

std::uint32_t hosting::bit_of(int signal) noexcept {
  switch (signal) {
    case SIGINT: return static_cast<std::uint32_t>(signals::interrupt);
    case SIGTERM: return static_cast<std::uint32_t>(signals::terminate);
    default: return 0;
  }
}

void hosting::leave_signals_to_root() noexcept {
  const auto held = std::exchange(inherited_descriptors::current().held_signals,
                                  0);
  for (const int signal : {SIGINT, SIGTERM}) {
    if (os::disposition_of(signal) == os::disposition::usual)
      os::on_signal(signal, pass_by);
    if ((held & bit_of(signal)) != 0)
      os::let_come(signal);
  }
}

void hosting::let_end_by_itself() noexcept {
  ends_by_itself.store(true, std::memory_order_relaxed);
}

bool hosting::is_winding_up(int signal) {
  if (is_ending() || interrupted())
    return true;
  if (signal == SIGINT)
    static_cast<void>(
      os::wait(run_memory::current().header().interrupted, 0,
               deadline::after(std::chrono::milliseconds{100})));
  return interrupted();
}

bool hosting::dies_of_interrupt() noexcept {
  return os::holds_threads();
}

void hosting::require_no_interrupt(const char* attempted) {
  const int signal = interrupted_by();
  if (signal == 0)
    return;
  os::stay_if_held();
  throw cancelled(attempted,
                  os::signal_name(signal) + " has asked the run to end",
                  "begin nothing new after interrupt_token() has asked to "
                  "stop");
}

} // namespace troupe
