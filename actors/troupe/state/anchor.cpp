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

/// The part at an offset that another part vouches for by its share.
template <class Part>
Part* part_at(offset where, state_part what) noexcept {
  if (where == 0)
    return nullptr;
  auto* head = run_memory::current().find_object(where, object_kind::state);
  if (head == nullptr || head->size < sizeof(Part))
    return nullptr;
  auto* found = reinterpret_cast<Part*>(head->bytes());
  return found->what == what ? found : nullptr;
}

void ring(house& of) noexcept {
  of.news.fetch_add(1, std::memory_order_seq_cst);
  const auto process = memory::slot_id::unpacked(of.process.load());
  if (auto* slot = run_memory::current().find(process))
    memory::ring(*slot);
}

void release_object(anchor& gone) noexcept {
  auto* of = part_at<cell>(gone.cell.load(), state_part::cell);
  if (of == nullptr)
    return;
  auto& home = house_of(*of);
  const auto index = static_cast<std::uint32_t>(gone.number) % most_objects;
  const auto word = index / 64;
  home.released[word].fetch_or(1ULL << (index % 64), std::memory_order_seq_cst);
  home.summary[word / 64].fetch_or(1ULL << (word % 64),
                                   std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("state.release.marked");
  ring(home);
}

void dispose(std::byte* payload, std::uint64_t) noexcept {
  // First the news, and then the share: should this be killed in between, it is
  // called again.
  switch (*reinterpret_cast<state_part*>(payload)) {
    case state_part::anchor: {
      auto& gone = *reinterpret_cast<anchor*>(payload);
      release_object(gone);
      memory::forget(gone.cell.exchange(0));
      break;
    }
    case state_part::cell: {
      auto& gone = *reinterpret_cast<cell*>(payload);
      if (auto* home = part_at<house>(gone.house.load(), state_part::house)) {
        home->ended.store(1, std::memory_order_seq_cst);
        TROUPE_CRASH_POINT("state.end.marked");
        ring(*home);
      }
      memory::forget(gone.house.exchange(0));
      break;
    }
    case state_part::house:
      memory::forget(reinterpret_cast<house*>(payload)->box.exchange(0));
      break;
    default: break;
  }
}

/// The process of `slot` is dead, or lets go: is it the state's?
void holder_gone(std::byte* payload, std::uint64_t,
                 std::uint32_t slot) noexcept {
  auto& home = *reinterpret_cast<house*>(payload);
  if (home.what != state_part::house)
    return;
  if (memory::slot_id::unpacked(home.process.load()).index != slot)
    return;
  const auto& dead = run_memory::current().slot(slot);
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
  made.as<cell>()->house.store(memory::send(home));
  home.as<house>()->cell.store(made.where());
  return made;
}

reference make_anchor(const reference& of, object_number number,
                      std::uint64_t type) {
  auto made = make<anchor>(state_part::anchor);
  auto* content = made.as<anchor>();
  content->number = number;
  content->type = type;
  content->cell.store(memory::send(of));
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

house& house_of(const cell& of) noexcept {
  return *reinterpret_cast<house*>(
    run_memory::current()
      .find_object(of.house.load(), object_kind::state)
      ->bytes());
}

} // namespace troupe::held
