// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/anchor.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

namespace troupe::held {

namespace {

using memory::object_kind;
using memory::offset;
using memory::reference;
using memory::run_memory;

/// The house at an offset, if it is still there.
house* house_at(offset where) noexcept {
  auto* head = run_memory::current().find_object(where, object_kind::state);
  if (head == nullptr || head->size < sizeof(house))
    return nullptr;
  auto* found = reinterpret_cast<house*>(head->bytes());
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
      return memory::forget(reinterpret_cast<house*>(payload)->box.exchange(0));
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
  home.code.store(dead.code.load());
  home.ended_by.store(dead.ended_by.load());
  home.dead.store(1, std::memory_order_seq_cst);
  if (home.box.load() != 0)
    home.requests().readers_gone();
}

const bool registered = memory::register_kind(
  object_kind::state,
  {.dispose = dispose, .holder_died = holder_gone, .holder_left = holder_gone});

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

mailbox::letter_box& house::requests() noexcept {
  return *reinterpret_cast<mailbox::letter_box*>(
    run_memory::current().find_object(box.load(), object_kind::queue)->bytes());
}

reference make_house(const reference& requests) {
  auto made = make<house>(state_part::house);
  made.as<house>()->box.store(memory::send(requests));
  return made;
}

reference make_cell(const reference& home) {
  auto made = make<cell>(state_part::cell);
  made.as<cell>()->house = home.where();
  home.as<house>()->cell.store(made.where());
  return made;
}

reference make_anchor(const reference& home, object_number number,
                      std::uint64_t type) {
  auto made = make<anchor>(state_part::anchor);
  auto* content = made.as<anchor>();
  content->house = home.where();
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
