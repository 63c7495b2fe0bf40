// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/fork_server.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/life_line.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/process/links.hpp>
#include <troupe/process/table.hpp>

#include <cstdio>
#include <cstring>
#include <optional>
#include <stdio_ext.h>
#include <unordered_map>

namespace troupe::hosting {

namespace {

using memory::run_memory;

class fork_server {
public:
  /// Serves until it finds itself in a forked host.
  slot_id run() {
    if (const auto host = take_up_requests())
      return *host;
    for (;;) {
      os::watched waiting[] = {{links::current().requests_reader.get()},
                               {ended_.get()}};
      static_cast<void>(os::wait_readable(waiting, deadline::never()));
      if (waiting[1].ready)
        bury_hosts();
      if (waiting[0].ready)
        if (const auto host = take_requests())
          return *host;
    }
  }

  void restore_signals() const noexcept {
    settings_.restore();
  }

private:
  /// Starts what an earlier server has left undone.
  std::optional<slot_id> take_up_requests() {
    std::optional<slot_id> result;
    for_each_slot([&](std::uint32_t index, process_slot& slot) {
      if (result)
        return;
      auto state = slot.current_state();
      if (state == slot_state::reserved
          && !is_alive(slot.parent.load(std::memory_order_relaxed)))
        free_slot(index, slot_state::reserved);
      if (state == slot_state::requested
          || (state == slot_state::starting && slot.claim.load() == 0))
        result = make_host(index, state);
    });
    return result;
  }

  std::optional<slot_id> take_requests() {
    std::uint32_t indices[256];
    const auto size = os::read_some(links::current().requests_reader.get(),
                                    std::as_writable_bytes(std::span{indices}));
    // Whole numbers only: a write of four bytes to a pipe is never torn.
    for (std::size_t at = 0; at < size / sizeof indices[0]; ++at)
      if (indices[at] < run_memory::current().header().slots)
        if (const auto host = make_host(indices[at], slot_state::requested)) {
          // What else was read stands in the table as `requested`; only this
          // process goes on as a host, the server reads on in its own copy.
          return host;
        }
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
      const auto pid = os::fork_process();
      if (pid == 0)
        return slot_id{index, generation};
      hosts_[pid] = index;
    } catch (const error& failure) {
      confirm_failed_start(index, failure.what());
    }
    return std::nullopt;
  }

  void bury_hosts() {
    os::clear_child_watch(ended_.get());
    while (const auto end = os::peek_ended_child()) {
      if (const auto found = hosts_.find(end->pid); found != hosts_.end()) {
        const auto claimed = run_memory::current()
                               .slot(found->second)
                               .claim.load(std::memory_order_acquire);
        // A host that another had beaten to its slot is nobody's news.
        if (claimed == end->pid || claimed == 0)
          confirm_death(found->second, *end);
        hosts_.erase(found);
      }
      // Only now may the kernel forget it: had we been killed before, the root
      // would find it unreaped.
      os::reap(end->pid);
    }
  }

  os::signal_settings settings_;
  os::descriptor ended_ = os::watch_children();
  std::unordered_map<std::int32_t, std::uint32_t> hosts_;
};

} // namespace

slot_id serve_forks() {
  os::name_process("troupe-forks");
  const auto armed = os::arm_life_line(links::current().life_line.get());
  auto& memory = run_memory::current();
  // What a server before this one has left half done.
  memory::release_holdings(memory.self().index);
  memory.header().fork_server.store(os::this_pid());
  // What static initialisers have printed, the root has printed too.
  __fpurge(stdout);
  os::detach_standard_input();
  auto& server = *new fork_server;
  os::ignore_terminal_signals();
  const auto host = server.run();
  server.restore_signals();
  delete &server;
  links::current().requests_reader.reset();
  links::current().freshly_executed = false;
  return host;
}

} // namespace troupe::hosting
