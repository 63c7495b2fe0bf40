// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/start.hpp>

#include <troupe/base/error.hpp>
#include <troupe/codec/parcel.hpp>
#include <troupe/memory/trace.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/rights.hpp>
#include <troupe/process/error_tail.hpp>
#include <troupe/process/host.hpp>
#include <troupe/process/inherited_descriptors.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/process/table.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

namespace troupe {

namespace {

// relaxed: nothing else hangs on it.
std::atomic<start_method> usual_method{start_method::fork_server};

} // namespace

void set_start_method(start_method method) noexcept {
  usual_method.store(method, std::memory_order_relaxed);
}

start_method get_start_method() noexcept {
  return usual_method.load(std::memory_order_relaxed);
}

} // namespace troupe

namespace troupe::hosting {

namespace {

using memory::run_memory;

constexpr std::size_t name_capacity = decltype(process_slot::name)::capacity
                                      + 1;

/// "process-1", "process-1:2": the place in the tree of processes.
std::string default_name(std::uint32_t number) {
  auto& memory = run_memory::current();
  const auto own = memory.own_slot().name.get();
  const bool of_root = memory.self().index == 0;
  const bool named = !own.starts_with("process-");
  return (of_root || named ? "process-" : own + ":") + std::to_string(number);
}

/// Shows, while somebody traces the run, when this thread asks for a process.
class traced_start {
public:
  explicit traced_start(memory::slot_id id) noexcept
    : traced_(memory::is_traced()) {
    if (traced_) [[unlikely]]
      memory::trace(memory::trace_kind::start_begins, 0,
                    memory::link_of_process(id.index, id.generation));
  }
  traced_start(const traced_start&) = delete;
  traced_start& operator=(const traced_start&) = delete;
  ~traced_start() {
    if (traced_) [[unlikely]]
      memory::trace(memory::trace_kind::start_ends, 0, 0);
  }

private:
  bool traced_;
};

void put_arguments(process_slot& slot, codec::packet& arguments) {
  const auto body = arguments.body();
  if (!arguments.handles().empty() || body.size() > slot.inline_bytes.size()) {
    memory::entrust(slot.arguments, codec::parcel::make(arguments));
    return;
  }
  slot.inline_size = static_cast<std::uint32_t>(body.size());
  if (!body.empty())
    std::memcpy(slot.inline_bytes.data(), body.data(), body.size());
}

/// A child has the rights of the fork server, which are those that this process
/// began with. Where it has others now, a child would silently keep what this
/// process has given up.
void require_rights_of_server() {
  const auto had = os::rights::of_this_thread().difference(
    inherited_descriptors::current().rights);
  if (!had.empty())
    throw invalid_state(
      "start a process",
      "this process had " + had
        + " when it joined the run, and so would its children",
      "change that before troupe::program, or in the child");
}

} // namespace

slot_id request_process(const function_entry& function,
                        codec::packet& arguments, const start_options& options,
                        awaited by_future, signals_pass by) {
  auto& memory = run_memory::current();
  if (!is_own_slot())
    throw invalid_state("start a process",
                        "this process was forked off a process of the run",
                        "execute the program anew, or start processes before "
                        "such a fork");
  const auto require_no_end = [] {
    if (is_ending())
      throw invalid_state("start a process", "this process is ending",
                          "start none after exit, or after main has returned");
  };
  require_no_end();
  require_no_interrupt("start a process");
  if (options.name.size() >= name_capacity
      || options.name.find('\0') != std::string::npos)
    throw invalid_argument("start a process with a name of "
                             + std::to_string(options.name.size()) + " bytes",
                           "at most 255 bytes are kept, none of them zero",
                           "shorten it");
  require_rights_of_server();
  // Before the slot is taken: who has started none has none to give back.
  const auto number = memory.own_slot().children_started.fetch_add(1) + 1;
  // seq_cst: the end of this process sees the count, or this sees the end.
  require_no_end();
  const auto id = reserve_slot();
  auto& slot = memory.slot(id.index);
  const traced_start traced{id};
  TROUPE_CRASH_POINT("process.start.reserved");
  try {
    put_arguments(slot, arguments);
  } catch (...) {
    give_back(id);
    throw;
  }
  const auto name = options.name.empty() ? default_name(number) : options.name;
  slot.name.set(name);
  const bool parent_is_daemon = memory.own_slot().daemon.load() != 0;
  slot.daemon.store(options.daemon.value_or(parent_is_daemon) ? 1 : 0);
  slot.awaited.store(by_future == awaited::yes ? process_slot::is_awaited
                                               : process_slot::not_awaited);
  slot.root_decides.store(by == signals_pass::yes ? 1 : 0);
  slot.method.store(
    static_cast<std::uint32_t>(options.method.value_or(get_start_method())));
  const auto& location = function.location();
  // For the error of a process that has not loaded it.
  if (location.is_in_library())
    slot.entry_library.set(function.library());
  slot.entry_module.store(location.module, std::memory_order_relaxed);
  slot.entry_offset.store(location.offset, std::memory_order_relaxed);
  slot.requested.store(
    std::chrono::steady_clock::now().time_since_epoch().count(),
    std::memory_order_relaxed);
  // release: pairs with the fork server's acquire; the slot is whole.
  slot.state.store(static_cast<std::uint32_t>(slot_state::requested),
                   std::memory_order_release);
  TROUPE_CRASH_POINT("process.start.requested");
  // What this process has printed so far comes before what the child prints.
  flush_output();
  if (!announce_request(id.index)) {
    free_slot(id, slot_state::requested);
    throw os_failure("ask the fork server for a process",
                     "start processes before all descriptors are closed, and "
                     "close none that the program has not opened",
                     EBADF);
  }
  return id;
}

} // namespace troupe::hosting
