// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/guardian.hpp>

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/fork_server.hpp>
#include <troupe/process/links.hpp>
#include <troupe/process/table.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <span>
#include <utility>

namespace troupe::hosting {

namespace {

using memory::run_memory;

std::atomic<guardian*> the_guardian{nullptr};

constexpr int looks_after_death = 20;

// What the signal handler may touch.
std::atomic<int> interrupts_from_terminal{0};
std::atomic<int> interrupts_from_elsewhere{0};
std::atomic<int> interrupt_event{-1};

void note_interrupt(bool from_terminal) {
  (from_terminal ? interrupts_from_terminal : interrupts_from_elsewhere)
    .fetch_add(1);
  os::ring_event(interrupt_event.load());
}

std::int64_t now() {
  return deadline::clock::now().time_since_epoch().count();
}

template <class Visit>
void for_each_host(Visit visit) {
  for_each_slot([&](std::uint32_t index, process_slot& slot) {
    if (index != 0 && is_alive(slot.current_state()))
      visit(index, slot);
  });
}

/// A process that nobody has waited for, and that is no more: the program
/// ignores SIGCHLD, or waits for whatever child ends, and has taken its end
/// along. Who tells of a death does so before the zombie goes, so that a slot
/// which is alive afterwards has lost it.
void confirm_if_gone(slot_id id, std::int32_t pid) {
  constexpr int unknown_code = 255;
  if (os::has_number(pid))
    return;
  auto* slot = run_memory::current().find(id);
  if (slot != nullptr && slot->claimant() == pid
      && is_alive(slot->current_state()) && !os::peek_child(pid).is_child)
    confirm_death(id.index, {pid, false, unknown_code});
}

bool has_claimed(std::int32_t pid) {
  bool result = false;
  for_each_host([&](std::uint32_t, process_slot& slot) {
    result = result || slot.claimant() == pid;
  });
  return result;
}

} // namespace

guardian::guardian() : event_(os::make_event()) {
  os::adopt_orphans();
  start_server();
  interrupt_event.store(event_.get());
  if (os::interrupt_is_default())
    os::on_interrupt(note_interrupt);
  static const bool once = [] {
    os::in_forked_children([] {
      // Or the copy would keep the run alive after its root.
      links::current().life_line_writer.reset();
      os::forget_interrupt();
    });
    return true;
  }();
  static_cast<void>(once);
  try {
    thread_ = std::thread{[this] { watch(); }};
  } catch (...) {
    end_server();
    os::forget_interrupt();
    interrupt_event.store(-1);
    throw;
  }
}

void guardian::start() {
  static auto& only = *new guardian;
  the_guardian.store(&only, std::memory_order_release);
}

void guardian::end() noexcept {
  if (ending_.exchange(true))
    return;
  os::ring_event(event_.get());
  thread_.join();
  end_server();
  // What the server had not reaped yet would be a zombie of our parent.
  adopt();
  finish_reaping();
  bury_orphans();
  os::forget_interrupt();
  interrupt_event.store(-1);
}

guardian* guardian::current() noexcept {
  // acquire: pairs with the release in start.
  return the_guardian.load(std::memory_order_acquire);
}

bool guardian::interrupted() const noexcept {
  return interrupts_from_terminal.load() + interrupts_from_elsewhere.load() > 0;
}

std::stop_token guardian::interrupt_token() noexcept {
  token_taken_.store(true);
  return stop_.get_token();
}

void guardian::start_server() {
  server_ = os::spawn_self(environment_, summons_variable,
                           write_summons({role::fork_server, {}}),
                           inherited(role::fork_server), settings_.mask());
  try {
    server_ended_ = os::open_pidfd(server_);
  } catch (...) {
    end_server();
    throw;
  }
}

void guardian::end_server() noexcept {
  if (server_ == 0)
    return;
  os::send_signal({server_, 0}, SIGKILL);
  os::reap(server_);
  server_ = 0;
}

void guardian::watch() {
  os::block_all_signals();
  os::name_process("troupe-guard");
  while (!ending_.load()) {
    const int refused
      = given_up_.empty() ? -1 : links::current().requests_reader.get();
    std::vector<os::watched> waiting{{event_.get()},
                                     {server_ended_.get()},
                                     {refused}};
    for (const auto& each : orphans_)
      waiting.push_back({each.ended.get()});
    auto limit = deadline::never();
    // Of these nothing tells: an orphan that claims its slot, or finds it
    // taken, after its server's death; one without a descriptor; the grace
    // after Ctrl-C.
    if (unclaimed_ || unwatched_ || interrupts_seen_ > 0)
      limit = deadline::after(std::chrono::milliseconds{5});
    else if (looks_left_ > 0)
      limit = deadline::after(std::chrono::milliseconds{50});
    static_cast<void>(os::wait_readable(waiting, limit));
    os::clear_event(event_.get());
    if (ending_.load())
      return;
    if (waiting[1].ready)
      replace_server();
    if (waiting[2].ready)
      refuse_requests();
    if (unclaimed_ || looks_left_ > 0)
      adopt();
    bury_orphans();
    answer_interrupts();
  }
}

void guardian::replace_server() {
  constexpr int most_failures = 3;
  auto& header = run_memory::current().header();
  const bool served = header.fork_server.load() == server_;
  failed_servers_ = served ? 0 : failed_servers_ + 1;
  os::reap(server_);
  server_ = 0;
  server_ended_.reset();
  TROUPE_CRASH_POINT("process.guardian.server_died");
  looks_left_ = looks_after_death;
  adopt();
  finish_reaping();
  TROUPE_CRASH_POINT("process.guardian.adopted");
  if (failed_servers_ >= most_failures) {
    give_up_server("it ends before it serves; make `troupe::program` the first "
                   "line of main");
    return;
  }
  try {
    start_server();
  } catch (const error& failure) {
    give_up_server(failure.what());
  }
}

void guardian::give_up_server(const std::string& reason) {
  given_up_ = "the fork server cannot be started: " + reason;
  for_each_slot([this](std::uint32_t index, process_slot& slot) {
    const auto state = slot.current_state();
    if (state == slot_state::requested
        || (state == slot_state::starting
            && slot.claim_for(-1, slot.generation.load())))
      confirm_failed_start(index, given_up_.c_str());
  });
}

void guardian::refuse_requests() {
  std::uint32_t indices[256];
  const auto size = os::read_some(links::current().requests_reader.get(),
                                  std::as_writable_bytes(std::span{indices}));
  auto& memory = run_memory::current();
  for (std::size_t at = 0; at < size / sizeof indices[0]; ++at)
    if (indices[at] < memory.header().slots
        && memory.slot(indices[at]).current_state() == slot_state::requested)
      confirm_failed_start(indices[at], given_up_.c_str());
}

void guardian::adopt() {
  constexpr std::size_t most_watched = 128;
  unclaimed_ = false;
  --looks_left_;
  for_each_host([this](std::uint32_t index, process_slot& slot) {
    const auto generation = slot.generation.load(std::memory_order_acquire);
    const auto pid = slot.claimant();
    if (pid == 0) {
      unclaimed_ = unclaimed_ || slot.current_state() == slot_state::starting;
      return;
    }
    if (is_orphan(pid))
      return;
    if (!os::peek_child(pid).is_child) {
      confirm_if_gone({index, generation}, pid);
      return;
    }
    os::descriptor ended;
    if (orphans_.size() < most_watched) {
      try {
        ended = os::open_pidfd(pid);
      } catch (const error&) {
        // Out of descriptors, which are the user's to spend.
        unwatched_ = true;
      }
    }
    orphans_.push_back({{index, generation}, pid, std::move(ended)});
  });
  // A child that finds its slot taken ends without a claim; by its name it is
  // known from the children that the user has.
  for (const auto pid : os::children_named(fork_server_name)) {
    if (pid == server_ || is_orphan(pid))
      continue;
    // It may have claimed its slot, run and ended since we looked: then it is
    // an orphan to bury, at the next turn.
    if (os::peek_child(pid).ended && !has_claimed(pid))
      os::reap(pid);
    else
      unclaimed_ = true;
  }
  if (unclaimed_)
    looks_left_ = looks_after_death;
}

void guardian::finish_reaping() {
  auto& reaping = run_memory::current().header().reaping;
  const auto pid = reaping.exchange(0);
  if (pid == 0 || is_orphan(pid))
    return;
  announce_death_again(pid);
  if (os::peek_child(pid).ended)
    os::reap(pid);
}

bool guardian::is_orphan(std::int32_t pid) const noexcept {
  return std::any_of(orphans_.begin(), orphans_.end(),
                     [pid](const orphan& each) { return each.pid == pid; });
}

void guardian::bury_orphans() {
  std::erase_if(orphans_, [](const orphan& each) {
    const auto state = os::peek_child(each.pid);
    if (state.is_child && !state.ended)
      return false;
    if (!state.is_child)
      confirm_if_gone(each.slot, each.pid);
    if (state.ended) {
      // The dead server may have told of it already.
      auto* slot = run_memory::current().find(each.slot);
      if (slot != nullptr && slot->claimant() == each.pid)
        confirm_death(each.slot.index, *state.ended);
      os::reap(each.pid);
    }
    return true;
  });
  unwatched_ = std::any_of(orphans_.begin(), orphans_.end(),
                           [](const orphan& each) { return !each.ended; });
}

void guardian::answer_interrupts() {
  const int elsewhere = interrupts_from_elsewhere.load();
  const int seen = interrupts_from_terminal.load() + elsewhere;
  if (seen == 0)
    return;
  if (interrupts_seen_.load() == 0) {
    auto& header = run_memory::current().header();
    header.interrupted.store(1);
    os::wake_all(header.interrupted);
    interrupt_limit_ = now() + header.grace;
    stop_.request_stop();
    // The terminal has told every process of its group already.
    if (elsewhere > 0)
      for_each_host([](std::uint32_t, process_slot& slot) {
        os::send_signal(slot.identity(), SIGINT);
      });
  }
  interrupts_seen_.store(seen);
  bool some = false;
  for_each_host([&](std::uint32_t, process_slot&) { some = true; });
  const bool patient = some || token_taken_.load();
  if (seen > 1 || now() >= interrupt_limit_ || !patient)
    end_run();
}

void guardian::end_run() {
  for_each_host([](std::uint32_t, process_slot& slot) {
    os::send_signal(slot.identity(), SIGKILL);
  });
  // Only if nobody is in the middle of writing.
  if (::ftrylockfile(stdout) == 0) {
    ::fflush_unlocked(stdout);
    ::funlockfile(stdout);
  }
  os::die_of_interrupt();
}

} // namespace troupe::hosting
