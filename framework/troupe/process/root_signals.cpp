// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/root_signals.hpp>

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/os/thread.hpp>
#include <troupe/os/wait_word.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/process/table.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

namespace troupe::hosting {

namespace {

using memory::run_memory;

constexpr int answered_signals[] = {SIGINT, SIGTERM};

// What the signal handler may touch.
// All seq_cst. `note_signal` writes `first_signal`, `deadly`, `insisted` and
// `came_from_elsewhere`, and `came` last; `answer`, in the root supervisor's
// thread, reads `came` first. `signal_event` is set by `install` before the
// handler is. `last_interrupt` is the handler's own.
std::atomic<int> signal_event{-1};
/// The first signal; one that the root does not listen to; whether another
/// Ctrl-C has come.
std::atomic<int> first_signal{0};
std::atomic<int> deadly{0};
std::atomic<bool> insisted{false};
/// Sets: which have come, and which of them not from a terminal.
std::atomic<std::uint32_t> came{0};
std::atomic<std::uint32_t> came_from_elsewhere{0};
std::atomic<std::int64_t> last_interrupt{0};

std::int64_t now() {
  return deadline::clock::now().time_since_epoch().count();
}

/// `timeout`, and others who start programs, signal a program and then its
/// process group: two at once are one.
bool is_another(int signal, bool from_terminal, std::int64_t moment) {
  constexpr std::int64_t at_once = 20'000'000;
  if (signal != SIGINT)
    return false;
  const auto last = last_interrupt.exchange(moment);
  return from_terminal || moment - last > at_once;
}

void note_signal(int signal, bool from_terminal) {
  auto& header = run_memory::current().header();
  const auto bit = bit_of(signal);
  int none = 0;
  const bool another = is_another(signal, from_terminal, now());
  if (!first_signal.compare_exchange_strong(none, signal) && another)
    insisted.store(true);
  none = 0;
  if ((header.root_listens.load() & bit) == 0
      && deadly.compare_exchange_strong(none, signal))
    os::hold_threads();
  std::uint32_t nothing = 0;
  header.interrupted.compare_exchange_strong(
    nothing, static_cast<std::uint32_t>(signal));
  if (!from_terminal)
    came_from_elsewhere.fetch_or(bit);
  // seq_cst: the root supervisor, which looks at this first, sees all of the
  // above.
  came.fetch_or(bit);
  os::notify_event(signal_event.load());
}

/// Whether the root waits for that process before it dies of a signal. One that
/// has not begun never will.
bool is_waited_for(const process_slot& slot) {
  return slot.identity().pid != 0
         && (slot.root_decides.load() == 0 || slot.listens.load() != 0);
}

/// Kills what is left, and dies.
[[noreturn]] void end_run(server_process& server, int signal) {
  // Or it would tell those that are not yet killed of the others' deaths. One
  // that serves hangs on the life-line, and goes on when this process has
  // ended.
  const auto serving = run_memory::current().header().fork_server.load();
  if (server.is(serving))
    os::send_signal({serving, 0}, SIGSTOP);
  else
    server.kill();
  for_each_host([](std::uint32_t, process_slot& slot) {
    os::send_signal(slot.identity(), SIGKILL);
  });
  // Only if nobody is in the middle of writing.
  if (::ftrylockfile(stdout) == 0) {
    ::fflush_unlocked(stdout);
    ::funlockfile(stdout);
  }
  os::die_of(signal);
}

} // namespace

void root_signals::install(int event) noexcept {
  signal_event.store(event);
  auto& header = run_memory::current().header();
  for (const int signal : answered_signals)
    switch (os::disposition_of(signal)) {
      case os::disposition::usual:
        header.root_answers.fetch_or(bit_of(signal));
        os::on_signal(signal, note_signal);
        break;
      case os::disposition::handled:
        // The root's own handler decides for those that serve others, too.
        header.root_listens.fetch_or(bit_of(signal));
        break;
      case os::disposition::ignored: break;
    }
}

void root_signals::forget() noexcept {
  for (const int signal : answered_signals)
    os::forget_signal(signal);
  signal_event.store(-1);
}

std::stop_token root_signals::token(std::uint32_t set) {
  run_memory::current().header().root_listens.fetch_or(set);
  return sources_.token(set);
}

int root_signals::deadly_signal() noexcept {
  return deadly.load();
}

void root_signals::answer(server_process& server) {
  if (came.load() == 0)
    return;
  auto& header = run_memory::current().header();
  const bool first = limit_ == 0;
  if (first)
    limit_ = now() + header.grace;
  const int fatal = deadly.load();
  if (fatal == 0)
    request_stop(came.load());
  pass_on();
  if (first) {
    header.interrupted.fetch_or(memory::run_header::interrupt_told);
    os::wake_all(header.interrupted);
    // Whoever leads a pool begins nothing more.
    for_each_slot([](std::uint32_t, process_slot& slot) {
      if (slot.current_state() == slot_state::running)
        memory::notify_of_death(slot);
    });
  }
  bool patient = fatal == 0;
  for_each_host([&](std::uint32_t, process_slot& slot) {
    patient = patient || is_waited_for(slot);
  });
  if (insisted.load() || now() >= limit_ || !patient)
    end_run(server, fatal != 0        ? fatal
                    : insisted.load() ? SIGINT
                                      : first_signal.load());
}

/// Asks the tokens of the root to stop: once for each signal. Each in a thread
/// of its own, lest a callback that waits keep the root supervisor from ending
/// the run.
void root_signals::request_stop(std::uint32_t which) {
  const auto more = which & ~requested_;
  requested_ |= more;
  for (std::uint32_t set = 1; set <= stop_sources::count; ++set) {
    if ((set & more) == 0)
      continue;
    const auto request = [this, set] {
      os::block_all_signals();
      sources_.request_one(set);
    };
    try {
      os::start_thread(request).detach();
    } catch (const error&) {
      request();
    }
    while (!sources_.token(set).stop_requested())
      std::this_thread::yield();
  }
}

/// Sends the user's processes what has come, each signal once; to those that
/// serve others only if they have asked for it. The terminal has told those of
/// the root's process group, unless they were made after it did.
void root_signals::pass_on() {
  for (const int signal : answered_signals) {
    const auto bit = bit_of(signal);
    if ((came.load() & bit) == 0)
      continue;
    const bool typed = (came_from_elsewhere.load() & bit) == 0;
    for_each_host([&](std::uint32_t, process_slot& slot) {
      const bool served = slot.root_decides.load() == 0
                          || (slot.listens.load() & bit) != 0;
      if (slot.current_state() != slot_state::running || !served
          || (slot.told.fetch_or(bit) & bit) != 0)
        return;
      // A process that was made since is at the default, as one that is about
      // to die of what it was told, and which a second one does not harm.
      const auto pid = slot.identity().pid;
      if (typed && os::shares_process_group(pid)
          && !os::leaves_at_default(pid, signal))
        return;
      os::send_signal(slot.identity(), signal);
    });
  }
}

} // namespace troupe::hosting
