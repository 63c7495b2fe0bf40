// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/process.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/processors.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/process/table.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace troupe {

namespace {

using memory::process_slot;
using memory::run_memory;
using memory::slot_state;

/// Waits until the slot's state makes `ready` true, or the slot is another's
/// (then `find` fails as well). False: the limit passed.
template <class Ready>
bool wait_for_state(const process_view& of, deadline limit, Ready ready) {
  memory::wait_note note{memory::wait_kind::process,
                         &run_memory::current().slot(
                           std::min(of.id().index,
                                    run_memory::current().header().slots)),
                         limit};
  for (;;) {
    const auto* slot = run_memory::current().find(of.id());
    if (slot == nullptr) {
      os::stay_if_held();
      return true;
    }
    // acquire: pairs with the release that published the state.
    const auto seen = slot->state.load(std::memory_order_acquire);
    if (ready(static_cast<slot_state>(seen & 0xFF))) {
      os::stay_if_held();
      return true;
    }
    note.sleeps(slot->state, seen);
    if (!memory::warm_memory::wait(slot->state, seen, limit))
      return false;
  }
}

/// Says on standard error by which exception a process ends, where the process
/// has left that to a future and nobody has asked the future. From now on the
/// process says it itself.
void tell_unread(const process_view& of) noexcept {
  auto* slot = run_memory::current().find(of.id());
  // acq_rel: pairs with the exchange in host.cpp, behind the exception's text.
  if (slot == nullptr
      || slot->awaited.exchange(process_slot::not_awaited,
                                std::memory_order_acq_rel)
           != process_slot::left_to_future)
    return;
  try {
    std::fprintf(stderr, "troupe: process %s (%d) %s; nobody got its result\n",
                 slot->name.get().c_str(), static_cast<int>(slot->pid.load()),
                 exit_status{*slot}.description().c_str());
  } catch (const std::bad_alloc&) {
    // No memory for the line: the process has ended all the same.
    return;
  }
}

} // namespace

std::int32_t process_view::pid() const {
  static_cast<void>(hosting::await_begin(*this, deadline::never()));
  const auto* slot = run_memory::current().find(id_);
  return slot != nullptr ? slot->pid.load(std::memory_order_relaxed) : 0;
}

std::string process_view::name() const {
  const auto* slot = run_memory::current().find(id_);
  if (slot == nullptr)
    return "(gone)";
  return slot->name.get();
}

bool process_view::is_daemon() const {
  const auto* slot = run_memory::current().find(id_);
  return slot != nullptr && slot->daemon.load(std::memory_order_relaxed) != 0;
}

bool process_view::is_alive() const {
  const auto* slot = run_memory::current().find(id_);
  return slot != nullptr && hosting::is_alive(slot->current_state());
}

exit_status process_view::join() const {
  return *join_before(deadline::never());
}

std::optional<exit_status> process_view::join_before(deadline limit) const {
  auto& memory = run_memory::current();
  if (id_ == memory.self() && limit.is_never())
    throw would_deadlock("join process " + name(), "it is the calling process",
                         "join children only");
  const auto dead = [](slot_state state) { return !hosting::is_alive(state); };
  if (!wait_for_state(*this, limit, dead))
    return std::nullopt;
  return hosting::status_of(id_).value_or(exit_status{});
}

bool process_view::terminate() const {
  return send_signal(SIGTERM);
}

bool process_view::kill() const {
  return send_signal(SIGKILL);
}

bool process_view::interrupt() const {
  return send_signal(SIGINT);
}

bool process_view::send_signal(int signal) const {
  switch (hosting::try_signal(*this, signal)) {
    case os::signal_outcome::sent: return true;
    case os::signal_outcome::gone: return false;
    case os::signal_outcome::not_permitted: break;
  }
  throw os_failure("send " + os::signal_name(signal) + " to process " + name()
                     + " (" + std::to_string(pid()) + ")",
                   "one of the two has changed its user since it began; do so "
                   "before troupe::program, or end that process otherwise",
                   EPERM);
}

bool hosting::await_begin(const process_view& of, deadline limit) {
  return wait_for_state(of, limit, [](slot_state state) {
    return state != slot_state::requested && state != slot_state::starting;
  });
}

os::signal_outcome hosting::try_signal(const process_view& to,
                                       int signal) noexcept {
  if (to.pid() == 0)
    return os::signal_outcome::gone;
  auto* slot = run_memory::current().find(to.id());
  if (slot == nullptr || !hosting::is_alive(slot->current_state()))
    return os::signal_outcome::gone;
  if (const auto bit = hosting::bit_of(signal))
    slot->asked.fetch_or(bit);
  return os::try_signal(slot->identity(), signal);
}

os::descriptor process_view::open_sentinel() const {
  const auto number = pid();
  if (number != 0 && is_alive()) {
    try {
      auto fd = os::open_pidfd(number);
      // The number may have gone to another process before it was opened.
      if (is_alive())
        return fd;
    } catch (const os_failure&) {
      if (is_alive() && os::is_running({number, 0}))
        throw;
    }
  }
  auto ended = os::make_event();
  os::notify_event(ended.get());
  return ended;
}

void process_view::save(codec::encoder& to) const {
  const auto packed = id_.packed();
  to.write(&packed, sizeof packed);
}

process_view process_view::load(codec::decoder& from) {
  std::uint64_t packed = 0;
  std::memcpy(&packed, from.take(sizeof packed, "process_view"), sizeof packed);
  return process_view{memory::slot_id::unpacked(packed)};
}

process::process(process&& other) noexcept
  : view_(other.view_),
    owns_(std::exchange(other.owns_, false)),
    sentinel_(std::move(other.sentinel_)) {
}

process& process::operator=(process&& other) {
  if (this != &other) {
    end();
    view_ = other.view_;
    owns_ = std::exchange(other.owns_, false);
    sentinel_ = std::move(other.sentinel_);
  }
  return *this;
}

process::~process() {
  end();
}

void process::end() noexcept {
  // A copy that the user forked has none of its original's processes.
  if (!std::exchange(owns_, false) || !hosting::is_own_slot())
    return;
  if (view_.is_daemon() && view_.is_alive()) {
    const auto grace
      = std::chrono::nanoseconds{run_memory::current().header().grace};
    constexpr auto beyond_reach = os::signal_outcome::not_permitted;
    if (hosting::try_signal(view_, SIGTERM) == beyond_reach
        || (!view_.join_for(grace)
            && hosting::try_signal(view_, SIGKILL) == beyond_reach)) {
      // It would not end for this. The root's end ends it.
      hosting::detach(view_.id());
      return;
    }
  }
  static_cast<void>(view_.join_before(deadline::never()));
  tell_unread(view_);
  hosting::free_slot(view_.id(), slot_state::dead);
}

const process_view& process::view() const {
  if (!owns_)
    throw invalid_state("use a process handle", "it has no process",
                        "it was closed, detached or moved from");
  return view_;
}

int process::sentinel() {
  if (!sentinel_)
    sentinel_ = view().open_sentinel();
  return sentinel_.get();
}

void process::close() {
  hosting::require_own_slot("close the handle of a process");
  if (view().is_alive())
    throw invalid_state("close the handle of process " + name(),
                        "the process is alive", "join it first");
  hosting::free_slot(view_.id(), slot_state::dead);
  sentinel_.reset();
  owns_ = false;
}

void process::detach() {
  hosting::require_own_slot("detach a process");
  tell_unread(view());
  hosting::detach(view().id());
  owns_ = false;
  sentinel_.reset();
}

process_view current_process() {
  return process_view{run_memory::current().self()};
}

std::optional<process_view> parent_process() {
  auto& memory = run_memory::current();
  if (memory.self().index == 0)
    return std::nullopt;
  return process_view{
    memory::slot_id::unpacked(memory.own_slot().parent.load())};
}

std::vector<process_view> active_children() {
  auto& memory = run_memory::current();
  const auto self = memory.self();
  std::vector<process_view> result;
  hosting::for_each_slot([&](std::uint32_t index, process_slot& slot) {
    if (index != self.index && slot.parent.load() == self.packed()
        && hosting::is_alive(slot.current_state()))
      result.emplace_back(memory::slot_id{index, slot.generation.load()});
  });
  return result;
}

unsigned hardware_concurrency() {
  return os::available_processors();
}

} // namespace troupe
