// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/fork_server.hpp>

#include <troupe/base/error.hpp>
#include <troupe/calls/entry.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/os/boot_clock.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/life_line.hpp>
#include <troupe/os/lineage.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/os/wait_word.hpp>
#include <troupe/process/error_tail.hpp>
#include <troupe/process/inherited_descriptors.hpp>
#include <troupe/process/lease.hpp>
#include <troupe/process/server_process.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/process/table.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <stdio_ext.h>
#include <unordered_map>

namespace troupe::hosting {

namespace {

using memory::run_memory;

/// A terminal, and whoever signals a whole process group, tells the processes
/// in no order. Before anybody learns that one has died of such a signal, the
/// root is to have it, and to have passed it on: or those who are about to die
/// of it too would act on that death. This server is told with the others, and
/// blocks the signal: the kernel lets no process of the group end before all
/// have it. So if neither this server has it nor the root, the signal was that
/// process's alone. If the root has noted it, it will pass it on, or end. If
/// only this server has it, the root may not have run since, or somebody has
/// signalled this server and that process only: that much later the death is
/// told.
void wait_for_word_of_root(const process_slot& slot, const os::child_end& end,
                           const os::descriptor& life_line) {
  const auto bit = end.signaled ? bit_of(end.code) : 0U;
  auto& header = run_memory::current().header();
  if ((bit & header.root_answers.load()) == 0 || (bit & slot.asked.load()) != 0)
    return;
  // This may take a while, and those who died before did not die of it.
  tell_of_deaths();
  const auto soon = deadline::after(std::chrono::milliseconds{20});
  const auto late = deadline::after(std::chrono::seconds{5});
  const auto root_has_ended = [&life_line] {
    os::watched ended[] = {{life_line.get()}};
    return os::wait_readable(ended, deadline::now()) && ended[0].ready;
  };
  for (auto word = header.interrupted.load();
       word < memory::run_header::interrupt_told;
       word = header.interrupted.load()) {
    if (word == 0 && (os::is_pending(end.code) ? late : soon).passed())
      return;
    if (!os::wait(header.interrupted, word,
                  deadline::after(std::chrono::milliseconds{20}))
        && root_has_ended())
      return;
  }
}

class fork_server {
public:
  /// Serves until it finds itself in a forked host.
  slot_id run() {
    if (const auto host = take_up_requests())
      return *host;
    for (;;) {
      os::watched waiting[]
        = {{inherited_descriptors::current().requests_reader.get()},
           {ended_.get()},
           {life_line_.get()}};
      static_cast<void>(os::wait_readable(waiting, end_of_lease()));
      if (waiting[2].ready)
        end_with_root();
      if (end_of_lease().passed())
        end_root();
      if (waiting[1].ready)
        end_hosts();
      if (waiting[0].ready)
        if (const auto host = take_requests())
          return *host;
    }
  }

  /// Of a forked host: puts the signals back. Returns those that wait until it
  /// can let them pass by.
  [[nodiscard]] std::uint32_t restore_signals(slot_id host) const noexcept {
    if (run_memory::current().slot(host.index).root_decides.load() == 0) {
      settings_.restore();
      return 0;
    }
    settings_.restore_but_hold();
    std::uint32_t held = 0;
    for (const int signal : {SIGINT, SIGTERM})
      held |= settings_.lets_come(signal) ? bit_of(signal) : 0;
    return held;
  }

private:
  /// Ends after which all processes are told of them, at the latest.
  static constexpr int most_untold = 64;

  /// Starts what an earlier server has left undone.
  std::optional<slot_id> take_up_requests() {
    recover_reservations(run_memory::current().self().index);
    std::optional<slot_id> result;
    for_each_slot([&](std::uint32_t index, process_slot& slot) {
      if (result)
        return;
      const auto state = slot.current_state();
      if (state == slot_state::requested
          || (state == slot_state::starting && slot.claimant() == 0))
        result = make_host(index, state);
    });
    return result;
  }

  std::optional<slot_id> take_requests() {
    std::uint32_t indices[256];
    const auto size
      = os::read_some(inherited_descriptors::current().requests_reader.get(),
                      std::as_writable_bytes(std::span{indices}));
    // Whole numbers only: a write of four bytes to a pipe is never torn.
    TROUPE_CRASH_POINT("process.server.read");
    for (std::size_t at = 0; at < size / sizeof indices[0]; ++at)
      if (indices[at] < run_memory::current().header().slots)
        if (const auto host = make_host(indices[at], slot_state::requested))
          return host;
    return std::nullopt;
  }

  /// Forks a host for a slot in state `from`. Returns its slot in the host.
  std::optional<slot_id> make_host(std::uint32_t index, slot_state from) {
    auto& slot = run_memory::current().slot(index);
    auto expected = static_cast<std::uint32_t>(from);
    if (!slot.state.compare_exchange_strong(
          expected, static_cast<std::uint32_t>(slot_state::starting),
          std::memory_order_acq_rel))
      return std::nullopt;
    try {
      const auto generation = slot.generation.load(std::memory_order_acquire);
      TROUPE_CRASH_POINT("process.server.before_fork");
      const auto pid = os::fork_process();
      if (pid == 0)
        return slot_id{index, generation};
      TROUPE_CRASH_POINT("process.server.forked");
      hosts_[pid] = {index, generation};
    } catch (const error& failure) {
      confirm_failed_start(index, failure.what());
    }
    return std::nullopt;
  }

  void end_hosts() {
    os::clear_child_watch(ended_.get());
    auto& reaping = run_memory::current().header().reaping;
    int untold = 0;
    while (const auto end = os::peek_ended_child()) {
      // Should this server be killed here, the root knows whom to reap. What is
      // no host was left behind by one.
      reaping.store(end->pid);
      TROUPE_CRASH_POINT("process.server.before_confirm");
      if (const auto found = hosts_.find(end->pid); found != hosts_.end()) {
        // Died before it could claim: then it is claimed for it, so that no
        // second child of the same request runs after this news.
        const auto id = found->second;
        auto& slot = run_memory::current().slot(id.index);
        if (slot.claim_for(end->pid, id.generation)
            || (slot.claimant() == end->pid
                && slot.generation.load() == id.generation)) {
          wait_for_word_of_root(slot, *end, life_line_);
          confirm_death_untold(id.index, *end);
          TROUPE_CRASH_POINT("process.server.before_telling");
        }
        hosts_.erase(found);
      }
      TROUPE_CRASH_POINT("process.server.before_reap");
      os::reap(end->pid);
      reaping.store(0);
      // Those who died last do not make those who died first wait to be told
      // of.
      if (++untold == most_untold) {
        tell_of_deaths();
        untold = 0;
      }
    }
    tell_of_deaths();
  }

  /// When the run ends that works for another one, should its root not prolong
  /// that: it stands still. A request that names no slot has this looked at.
  [[nodiscard]] static deadline end_of_lease() noexcept {
    const auto lease = lease_of_run().load();
    if (lease == 0)
      return deadline::never();
    return deadline::after(std::chrono::nanoseconds{lease - os::boot_now()});
  }

  /// The life-line ends the others.
  [[noreturn]] static void end_root() noexcept {
    os::send_signal(run_memory::current().slot(0).identity(), SIGKILL);
    end_with_root();
  }

  /// The life-line kills whoever hangs on it. One that has closed it, or has
  /// executed another program, is killed here.
  [[noreturn]] static void end_with_root() noexcept {
    for_each_slot([](std::uint32_t index, process_slot& slot) {
      if (index != 0 && is_alive(slot.current_state()))
        os::send_signal(slot.identity(), SIGKILL);
    });
    os::exit_at_once(0);
  }

  os::signal_settings settings_;
  os::descriptor life_line_
    = os::watch_life_line(inherited_descriptors::current().life_line.get());
  os::descriptor ended_ = os::watch_children();
  std::unordered_map<std::int32_t, slot_id> hosts_;
};

} // namespace

slot_id serve_forks() {
  os::name_process(fork_server_name);
  os::detach_standard_input();
  auto& memory = run_memory::current();
  // What hosts have started and left behind is reaped here. It bears a mark by
  // which the root knows it should this server die.
  os::adopt_orphans(true);
  os::mark_lineage(lineage());
  // What a copy of the root remembers is the root's.
  memory::start_without_holdings();
  // What a server before this one has left half done.
  memory::release_holdings(memory.self().index);
  // What static initialisers have printed, the root has printed too.
  __fpurge(stdout);
  // Once here rather than once in every host.
  set_up_streams();
  calls::entry::locate_all();
  auto& server = *new fork_server;
  os::block_signals_to_end();
  // User code that has forked may have brought several here.
  if (!report_service())
    os::exit_at_once(0);
  const auto host = server.run();
  auto& own = inherited_descriptors::current();
  own.held_signals = server.restore_signals(host);
  delete &server;
  own.requests_reader.reset();
  own.freshly_executed = false;
  return host;
}

} // namespace troupe::hosting
