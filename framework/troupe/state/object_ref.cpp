// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/object_ref.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <memory>
#include <string>

namespace troupe::held {

namespace {

using memory::object_id;
using memory::object_kind;
using memory::reference;
using memory::run_memory;

/// The control block of that id, if it is still there.
control_block* control_block_at(object_id where) noexcept {
  auto* head = run_memory::current().find_object(where, object_kind::state);
  if (head == nullptr || head->size < sizeof(control_block))
    return nullptr;
  auto* found
    = reinterpret_cast<control_block*>(run_memory::current().payload_of(head));
  return found->what == state_part::control_block ? found : nullptr;
}

void notify_process_of(control_block& of) noexcept {
  of.news.fetch_add(1, std::memory_order_seq_cst);
  const auto process = memory::slot_id::unpacked(of.process.load());
  if (auto* slot = run_memory::current().find(process))
    memory::notify(*slot);
}

void release_object(const object_ref& gone) noexcept {
  auto* home = control_block_at(gone.block);
  if (home == nullptr)
    return;
  const auto index = static_cast<std::uint32_t>(gone.number) % most_objects;
  const auto word = index / 64;
  home->released[word].fetch_or(1ULL << (index % 64),
                                std::memory_order_seq_cst);
  home->summary[word / 64].fetch_or(1ULL << (word % 64),
                                    std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("state.release.marked");
  notify_process_of(*home);
}

void end_state(const cell& gone) noexcept {
  auto* home = control_block_at(gone.block);
  if (home == nullptr)
    return;
  home->ended.store(1, std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("state.end.marked");
  notify_process_of(*home);
}

void dispose(std::byte* payload, std::uint64_t) noexcept {
  switch (*reinterpret_cast<state_part*>(payload)) {
    case state_part::object_ref:
      return release_object(*reinterpret_cast<object_ref*>(payload));
    case state_part::cell: return end_state(*reinterpret_cast<cell*>(payload));
    case state_part::control_block:
      return memory::disown(reinterpret_cast<control_block*>(payload)->box);
    default: return;
  }
}

/// The process of `slot` is dead, or lets go: is it the state's?
void holder_gone(std::byte* payload, std::uint64_t,
                 std::uint32_t slot) noexcept {
  auto& home = *reinterpret_cast<control_block*>(payload);
  if (home.what != state_part::control_block)
    return;
  const auto& dead = run_memory::current().slot(slot);
  // A client may have come into the slot where the state's process was.
  if (home.process.load()
      != memory::slot_id{slot, dead.generation.load()}.packed())
    return;
  home.story.note(dead);
  home.dead.store(1, std::memory_order_seq_cst);
  if (home.box.load() != 0)
    home.requests().readers_gone();
}

const bool registered = memory::register_kind(object_kind::state,
                                              {.dispose = dispose,
                                               .holder_died = holder_gone,
                                               .holder_left = holder_gone,
                                               .layout = layout_of_parts()});

template <class Part>
Part* as_part(const reference& object, state_part what) noexcept {
  if (!object || object.size() < sizeof(Part))
    return nullptr;
  auto* part = object.as<Part>();
  return part->what == what ? part : nullptr;
}

template <class Part>
reference make(state_part what) {
  static_cast<void>(registered);
  auto made = reference::create(object_kind::state, sizeof(Part));
  made.as<Part>()->what = what;
  return made;
}

} // namespace

void story_of_state::note(const memory::process_slot& dead) noexcept {
  name.set(dead.name);
  pid.store(dead.pid.load(), std::memory_order_relaxed);
  code.store(dead.code.load(), std::memory_order_relaxed);
  exception_type.set(dead.exception_type);
  exception_text.set(dead.exception_text);
  inner_exceptions.set(dead.inner_exceptions);
  tail_written.store(dead.tail_written.load(std::memory_order_acquire),
                     std::memory_order_relaxed);
  for (std::size_t at = 0; at < tail.size(); ++at)
    tail[at].store(dead.tail[at].load(std::memory_order_relaxed),
                   std::memory_order_relaxed);
  ended_by.store(dead.ended_by.load(), std::memory_order_relaxed);
}

exit_status story_of_state::status() const {
  auto slot = std::make_unique<memory::process_slot>();
  slot->ended_by.store(ended_by.load());
  slot->code.store(code.load());
  slot->exception_type.set(exception_type);
  slot->exception_text.set(exception_text);
  slot->inner_exceptions.set(inner_exceptions);
  slot->tail_written.store(tail_written.load());
  for (std::size_t at = 0; at < tail.size(); ++at)
    slot->tail[at].store(tail[at].load(std::memory_order_relaxed),
                         std::memory_order_relaxed);
  return exit_status{*slot};
}

std::string story_of_state::description() const {
  return memory::description_of(name.get(), pid.load());
}

mailbox::message_queue& control_block::requests() noexcept {
  return *reinterpret_cast<mailbox::message_queue*>(
    run_memory::current().payload_of(box.load()));
}

reference make_control_block(const reference& requests) {
  auto made = make<control_block>(state_part::control_block);
  memory::own(made.as<control_block>()->box, requests);
  return made;
}

reference make_cell(const reference& home) {
  auto made = make<cell>(state_part::cell);
  made.as<cell>()->block = home.id();
  home.as<control_block>()->cell.store(made.id());
  return made;
}

reference make_object_ref(const reference& home, object_number number,
                          std::uint64_t type) {
  auto made = make<object_ref>(state_part::object_ref);
  auto* content = made.as<object_ref>();
  content->block = home.id();
  content->number = number;
  content->type = type;
  return made;
}

object_ref* as_object_ref(const reference& object) noexcept {
  return as_part<object_ref>(object, state_part::object_ref);
}

cell* as_cell(const reference& object) noexcept {
  return as_part<cell>(object, state_part::cell);
}

control_block* as_control_block(const reference& object) noexcept {
  return as_part<control_block>(object, state_part::control_block);
}

} // namespace troupe::held
