// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/anchor.hpp>

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

/// The house of that id, if it is still there.
house* house_at(object_id where) noexcept {
  auto* head = run_memory::current().find_object(where, object_kind::state);
  if (head == nullptr || head->size < sizeof(house))
    return nullptr;
  auto* found
    = reinterpret_cast<house*>(run_memory::current().payload_of(head));
  return found->what == state_part::house ? found : nullptr;
}

void ring(house& of) noexcept {
  of.news.fetch_add(1, std::memory_order_seq_cst);
  const auto process = memory::slot_id::unpacked(of.process.load());
  if (auto* slot = run_memory::current().find(process))
    memory::ring(*slot);
}

void release_object(const anchor& gone) noexcept {
  auto* home = house_at(gone.house);
  if (home == nullptr)
    return;
  const auto index = static_cast<std::uint32_t>(gone.number) % most_objects;
  const auto word = index / 64;
  home->released[word].fetch_or(1ULL << (index % 64),
                                std::memory_order_seq_cst);
  home->summary[word / 64].fetch_or(1ULL << (word % 64),
                                    std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("state.release.marked");
  ring(*home);
}

void end_state(const cell& gone) noexcept {
  auto* home = house_at(gone.house);
  if (home == nullptr)
    return;
  home->ended.store(1, std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("state.end.marked");
  ring(*home);
}

void dispose(std::byte* payload, std::uint64_t) noexcept {
  switch (*reinterpret_cast<state_part*>(payload)) {
    case state_part::anchor:
      return release_object(*reinterpret_cast<anchor*>(payload));
    case state_part::cell: return end_state(*reinterpret_cast<cell*>(payload));
    case state_part::house:
      return memory::disown(reinterpret_cast<house*>(payload)->box,
                            memory::owner::first);
    default: return;
  }
}

/// The process of `slot` is dead, or lets go: is it the state's?
void holder_gone(std::byte* payload, std::uint64_t,
                 std::uint32_t slot) noexcept {
  auto& home = *reinterpret_cast<house*>(payload);
  if (home.what != state_part::house)
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

void house_story::note(const memory::process_slot& dead) noexcept {
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

exit_status house_story::status() const {
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

std::string house_story::description() const {
  return name.get() + " (pid " + std::to_string(pid.load()) + ")";
}

mailbox::letter_box& house::requests() noexcept {
  return *reinterpret_cast<mailbox::letter_box*>(
    run_memory::current().payload_of(box.load()));
}

reference make_house(const reference& requests) {
  auto made = make<house>(state_part::house);
  memory::own(made.as<house>()->box, requests, memory::owner::first);
  return made;
}

reference make_cell(const reference& home) {
  auto made = make<cell>(state_part::cell);
  made.as<cell>()->house = home.id();
  home.as<house>()->cell.store(made.id());
  return made;
}

reference make_anchor(const reference& home, object_number number,
                      std::uint64_t type) {
  auto made = make<anchor>(state_part::anchor);
  auto* content = made.as<anchor>();
  content->house = home.id();
  content->number = number;
  content->type = type;
  return made;
}

anchor* as_anchor(const reference& object) noexcept {
  return as_part<anchor>(object, state_part::anchor);
}

cell* as_cell(const reference& object) noexcept {
  return as_part<cell>(object, state_part::cell);
}

house* as_house(const reference& object) noexcept {
  return as_part<house>(object, state_part::house);
}

} // namespace troupe::held
