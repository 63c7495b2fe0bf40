// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/host.hpp>

#include <troupe/base/error.hpp>
#include <troupe/calls/failure.hpp>
#include <troupe/codec/parcel.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/life_line.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/error_tail.hpp>
#include <troupe/process/exit.hpp>
#include <troupe/process/fork_server.hpp>
#include <troupe/process/inherited_descriptors.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/start.hpp>
#include <troupe/process/table.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <vector>

namespace troupe::hosting {

namespace {

using memory::run_memory;

constexpr int exception_code = 1;

/// Leaves it to a future to tell what the function threw, if there is one: a
/// line on standard error would say it twice.
bool leave_to_future(process_slot& slot) noexcept {
  auto expected = std::uint32_t{process_slot::is_awaited};
  // acq_rel: pairs with the exchange of whoever gives the future up, who tells
  // it if it comes after this.
  return is_alive(slot.parent.load())
         && slot.awaited.compare_exchange_strong(expected,
                                                 process_slot::left_to_future,
                                                 std::memory_order_acq_rel);
}

/// Notes the exception that is being handled as the end of this process.
void note_exception(process_slot& slot) {
  const auto thrown = calls::failure::being_handled();
  slot.exception_type.set(thrown.type);
  slot.exception_text.set(
    calls::beginning_of(thrown.text, decltype(slot.exception_text)::capacity));
  slot.inner_exceptions.set(
    calls::pack(thrown.causes, decltype(slot.inner_exceptions)::capacity));
  slot.code.store(exception_code, std::memory_order_relaxed);
  // release: pairs with the acquire in confirm_death.
  slot.ended_by.store(static_cast<std::uint32_t>(memory::ending::threw),
                      std::memory_order_release);
  if (!leave_to_future(slot))
    std::cerr << "troupe: process " << slot.name.get() << " (" << os::this_pid()
              << ") ended by exception " << thrown.description() << std::endl;
}

void run_function(process_slot& slot) {
  const os::code_location location{slot.entry_module.load(),
                                   slot.entry_offset.load()};
  const auto& function = function_entry::at(location,
                                            "run the function of a process",
                                            slot.entry_library.get());
  std::optional<codec::packet> result;
  if (const auto where = slot.arguments.load()) {
    auto opened = codec::parcel::open(where);
    memory::forget_at(slot.arguments);
    TROUPE_CRASH_POINT("process.host.arguments_held");
    result = function(calls::arguments{std::move(opened)});
  } else {
    const auto size = std::min<std::size_t>(slot.inline_size,
                                            slot.inline_bytes.size());
    result
      = function(calls::arguments{bytes_view{slot.inline_bytes}.first(size)});
  }
  if (result)
    memory::entrust(slot.result, codec::parcel::make(*result));
}

// seq_cst: `end_children` sets it and then looks at the count of children
// started; `request_process` counts and then looks at this. One sees the other.
std::atomic<bool> ending{false};

void claim(slot_id id) {
  auto& memory = run_memory::current();
  auto* slot = memory.find(id);
  const auto self = os::this_process_id();
  TROUPE_CRASH_POINT("process.host.before_claim");
  if (slot == nullptr || !slot->claim_for(self.pid, id.generation))
    os::exit_at_once(0);
  TROUPE_CRASH_POINT("process.host.claimed");
  slot->start_time.store(self.start_time, std::memory_order_relaxed);
  slot->pid.store(self.pid, std::memory_order_relaxed);
  auto starting = static_cast<std::uint32_t>(slot_state::starting);
  // release: pairs with the acquire of whoever asks for the pid; seq_cst: the
  // parent's reclaimer sees this process, or it sees the parent's death.
  slot->state.compare_exchange_strong(
    starting, static_cast<std::uint32_t>(slot_state::running),
    std::memory_order_seq_cst);
  os::wake_all(slot->state);
  memory.become(id);
  memory::start_without_holdings();
  memory::begin_counters(*slot, id);
  // A daemon whose parent died meanwhile was not there to be killed.
  if (slot->daemon.load() != 0 && !is_alive(slot->parent.load()))
    ::raise(SIGKILL);
}

} // namespace

bool is_ending() noexcept {
  return ending.load();
}

void end_children() noexcept {
  auto& memory = run_memory::current();
  const bool is_root = memory.self().index == 0;
  // A child that the user forked has no children of ours.
  if (!is_own_slot())
    return;
  ending.store(true);
  // It may have been one of many: those without children look at no other slot.
  // seq_cst: pairs with the count and the look at `ending` in request_process.
  if (!is_root && memory.own_slot().children_started.load() == 0)
    return;
  const auto mine = memory.self().packed();
  const auto each_living_daemon = [&](auto visit) {
    for_each_slot([&](std::uint32_t index, process_slot& slot) {
      if (index != memory.self().index && slot.parent.load() == mine
          && slot.daemon.load() != 0 && is_alive(slot.current_state()))
        visit(process_view{{index, slot.generation.load()}});
    });
  };
  // One that may not be signalled ends with the run: see
  // root_supervisor::end_server.
  std::vector<slot_id> beyond_reach;
  const auto signal = [&](const process_view& daemon, int number) {
    if (try_signal(daemon, number) == os::signal_outcome::not_permitted)
      beyond_reach.push_back(daemon.id());
  };
  const auto is_beyond_reach = [&](slot_id id) {
    return std::find(beyond_reach.begin(), beyond_reach.end(), id)
           != beyond_reach.end();
  };
  each_living_daemon(
    [&](const process_view& daemon) { signal(daemon, SIGTERM); });
  const auto limit
    = deadline::after(std::chrono::nanoseconds{memory.header().grace});
  each_living_daemon([&](const process_view& daemon) {
    if (!is_beyond_reach(daemon.id()) && !daemon.join_before(limit))
      signal(daemon, SIGKILL);
  });
  memory::wait_note note{memory::wait_kind::children, nullptr,
                         deadline::never()};
  // A process that ends may leave others behind: look until none is left.
  for (bool some = true; some;) {
    const auto deaths = memory.header().deaths.load();
    some = false;
    beyond_reach.clear();
    // Of a thread that was about to start one when this process began to end.
    each_living_daemon(
      [&](const process_view& daemon) { signal(daemon, SIGKILL); });
    for_each_slot([&](std::uint32_t index, process_slot& slot) {
      const slot_id id{index, slot.generation.load()};
      some = some
             || (index != memory.self().index && is_alive(slot.current_state())
                 && (is_root || slot.parent.load() == mine)
                 && !is_beyond_reach(id));
    });
    if (!some)
      break;
    note.sleeps(memory.header().deaths, deaths);
    static_cast<void>(
      os::wait(memory.header().deaths, deaths, deadline::never()));
  }
}

void run_host(slot_id id) {
  auto& memory = run_memory::current();
  static const auto armed
    = os::arm_life_line(inherited_descriptors::current().life_line.get());
  auto* const slot = memory.find(id);
  if (slot == nullptr)
    os::exit_at_once(0);
  // As a fork of the server is called until it has claimed its slot.
  if (inherited_descriptors::current().freshly_executed)
    os::name_process(fork_server_name);
  if (slot->method.load() == static_cast<std::uint32_t>(start_method::spawn)
      && !inherited_descriptors::current().freshly_executed) {
    try {
      os::exec_self(
        bootstrap_variable,
        write_bootstrap({role::host, id}, -1,
                        inherited_descriptors::current().held_signals),
        inherited(role::host));
    } catch (const error&) {
      note_exception(*slot);
      os::exit_at_once(exception_code);
    }
  }
  claim(id);
  // What has come since the fork passes it by, too.
  if (slot->root_decides.load() != 0)
    leave_signals_to_root();
  os::name_process(slot->name.get().c_str());
  // A fork of the server has its streams from there.
  if (inherited_descriptors::current().freshly_executed)
    set_up_streams();
  // After the user's own exit handlers, for they were registered later.
  at_exit([] {
    end_children();
    flush_streams();
  });
  TROUPE_CRASH_POINT("process.host.before_function");
  try {
    run_function(*slot);
    TROUPE_CRASH_POINT("process.host.returned");
  } catch (...) {
    wait_for_exit_elsewhere();
    note_exception(*slot);
    std::exit(exception_code);
  }
  std::exit(EXIT_SUCCESS);
}

} // namespace troupe::hosting
