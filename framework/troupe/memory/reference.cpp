// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/reference.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/extents.hpp>
#include <troupe/memory/head_table.hpp>
#include <troupe/memory/own_row.hpp>
#include <troupe/memory/reclaim.hpp>
#include <troupe/memory/shares.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/memory_file.hpp>
#include <troupe/os/process_id.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace troupe::memory {

/// What the calling process holds, by the lower half of the id. Guarded by
/// `own_row_mutex()`.
struct hold_table {
  struct place {
    object_id id = 0;
    std::weak_ptr<reference::hold> hold;
    /// Holds that are not destroyed yet: the one above, and those whose count
    /// of copies has gone to zero and whose destructor is on its way.
    int holds = 0;
  };

  std::unordered_map<std::uint32_t, place> holds;

  /// The number of the head, and which of its sides.
  static constexpr std::uint32_t key_of(object_id id) noexcept {
    return static_cast<std::uint32_t>(id);
  }

  static hold_table& of_this_process() {
    // Never destroyed, for the sake of handles in static variables.
    static auto& table = *new hold_table;
    return table;
  }

  void commit(const std::shared_ptr<reference::hold>& made, object_head* object,
              object_id id) {
    made->id = id;
    made->head = object;
    made->data = run_memory::current().payload_of(object);
    made->owner = os::this_pid();
    auto& place = holds.find(key_of(id))->second;
    place = {id, made, place.holds + 1};
  }
};

namespace {

std::string attempt_text(object_id id) {
  return "attach the object " + std::to_string(id);
}

[[noreturn]] void refuse_kind(object_id id, object_kind kind,
                              std::uint32_t found) {
  throw stale_handle(attempt_text(id),
                     "it is of kind " + name_of(static_cast<object_kind>(found))
                       + ", not " + name_of(kind),
                     "a handle is passed as the type it was made as");
}

std::string creation_text(std::uint64_t size) {
  return "create a shared object of " + std::to_string(size) + " bytes";
}

/// Larger payloads that promise zero never have memory of former objects: to
/// write zeros would take what is not used.
constexpr std::uint64_t most_zeroed = most_small_extent;

/// An entry of the handle table that is being used, given back unless the
/// object is held in the end.
class noted {
public:
  explicit noted(const char* attempted)
    : entry_(own_row::of_this_process().take_entry(attempted)) {
  }

  noted(const noted&) = delete;
  noted& operator=(const noted&) = delete;

  ~noted() {
    if (!kept_)
      own_row::of_this_process().give_entry_back(entry_);
  }

  void name(object_id id) noexcept {
    own_row::of_this_process().note(entry_, id);
  }

  std::uint32_t keep() noexcept {
    kept_ = true;
    return entry_;
  }

private:
  std::uint32_t entry_;
  bool kept_ = false;
};

void note_head(void* context, std::uint32_t index) {
  static_cast<noted*>(context)->name(index);
}

/// Takes granules for the payload of a head that was taken. Throws
/// `limit_reached`.
void take_extent(object_head* head, std::uint64_t size) {
  auto& own = own_row::of_this_process();
  const auto owner = extents::owner_head(run_memory::current().index_of(head));
  // Until all is taken there may be other's granules where the head says; so
  // nobody must make holes there.
  head->flags.store(object_head::is_punched, std::memory_order_seq_cst);
  const auto note = [](void* context, const extents::extent& attempt) {
    auto* of = static_cast<object_head*>(context);
    of->payload.store(extents::place_of(attempt), std::memory_order_relaxed);
    // release: whoever confirms the death finds both or none.
    of->granules.store(attempt.count, std::memory_order_release);
  };
  auto wanted = extents::needed_for(size);
  const auto take = [&] {
    return extents::take(own.extents, wanted, owner, note, head);
  };
  bool taken = take();
  if (!taken && wanted.region == small_region) {
    wanted = {large_region, 0, 1};
    taken = take();
  }
  if (!taken) {
    head->granules.store(0, std::memory_order_relaxed);
    throw limit_reached(
      creation_text(size),
      "the run has no " + std::to_string(size)
        + " bytes of address space together that are free, of "
        + std::to_string(run_memory::current().header().size),
      "drop handles or raise limits::address_space");
  }
  head->flags.fetch_and(~object_head::is_punched, std::memory_order_seq_cst);
}

/// Enters the new object in this process's ledger; the entry stays open.
/// Throws `limit_reached`.
void enter(ledger_row& ledger, std::uint32_t index, std::uint64_t size,
           std::uint64_t reserved) {
  auto& memory = run_memory::current();
  ledger.begin(index, static_cast<std::int64_t>(reserved));
  const auto sum = memory.reserved_bytes();
  const auto limit = memory.header().memory_limit.load();
  if (sum <= limit)
    return;
  ledger.undo();
  throw limit_reached(creation_text(size),
                      "living objects reserve " + std::to_string(sum - reserved)
                        + " of the " + std::to_string(limit)
                        + " bytes that the run may use",
                      "drop handles, drain queues, or raise limits::memory");
}

/// Bytes of memory that a head and its payload may take.
std::uint64_t reserved_for(std::uint64_t size) noexcept {
  return sizeof(object_head)
         + (size > object_head::size_inside ? round_up(size, os::page_size())
                                            : 0);
}

/// Returns the head of a new object, which `note` names; `is_warm` says whether
/// it still has its payload from the one before. Throws `limit_reached`.
object_head* take_head(own_row& own, std::uint64_t size, contents of,
                       std::uint32_t row, noted& note, bool& is_warm) {
  object_head* head = nullptr;
  if (size > object_head::size_inside
      && (of == contents::unspecified || size <= most_zeroed))
    head = warm_memory::take(row, size, note_head, &note);
  is_warm = head != nullptr;
  if (head == nullptr)
    head = head_table::take(own.heads, row, note_head, &note);
  if (head == nullptr)
    throw limit_reached(creation_text(size),
                        "the run has "
                          + std::to_string(
                            std::uint64_t{run_memory::current().header().pages}
                            * head_page::heads)
                          + " places for objects, and all are taken",
                        "drop handles or raise limits::address_space");
  return head;
}

/// Sees that the head has a payload, with what `of` says in it. Throws
/// `limit_reached`.
void give_payload(object_head* head, std::uint64_t size, contents of,
                  bool is_warm) {
  auto& memory = run_memory::current();
  const bool outside = size > object_head::size_inside;
  if (!is_warm) {
    if (outside)
      take_extent(head, size);
    else
      head->payload.store(memory.offset_of(head->inside.data()),
                          std::memory_order_relaxed);
  }
  // What is fresh is zero. Of the rest, what a kind looks at when the object
  // ends unfinished must be.
  if (is_warm || !outside)
    std::memset(memory.payload_of(head), 0,
                of == contents::zero
                  ? size
                  : std::min(size, object_head::size_inside));
}

/// Writes what stands in the head of an object that nobody can attach yet, and
/// that the process of `row` holds. Returns its id.
object_id describe(object_head* head, object_kind kind, std::uint64_t size,
                   contents of, std::uint32_t row) noexcept {
  const auto generation = head->generation.load(std::memory_order_relaxed) + 1;
  head->generation.store(generation, std::memory_order_relaxed);
  head->size.store(size, std::memory_order_relaxed);
  head->creator.store(row, std::memory_order_relaxed);
  head->origin.store(0, std::memory_order_relaxed);
  head->kind.store(static_cast<std::uint32_t>(kind), std::memory_order_relaxed);
  head->shares.store(0, std::memory_order_relaxed);
  constexpr auto of_kind = object_head::is_unspecified
                           | object_head::has_shares;
  if ((head->flags.load(std::memory_order_relaxed) & of_kind) != 0)
    head->flags.fetch_and(~of_kind);
  if (of == contents::unspecified)
    head->flags.fetch_or(object_head::is_unspecified);
  set_holder(head, row);
  return (object_id{generation} << 32) | run_memory::current().index_of(head);
}

} // namespace

reference reference::create_once(object_kind kind, std::uint64_t size,
                                 contents of, unfinished_object& unfinished) {
  auto& memory = run_memory::current();
  const auto row = memory.self().index;
  auto& own = own_row::of_this_process();
  auto made = std::make_shared<hold>();
  noted note{"create a shared object"};
  auto* const head = take_head(own, size, of, row, note, made->is_warm);
  const auto index = memory.index_of(head);
  made->entry = note.keep();
  // Should anything below throw, the caller gives the head up.
  unfinished = {head, made->entry};
  TROUPE_CRASH_POINT("memory.create.noted");
  auto& table = hold_table::of_this_process();
  table.holds.try_emplace(index);
  give_payload(head, size, of, made->is_warm);
  auto& ledger = memory.row(row).ledger;
  const bool counted = head->accounted.load(std::memory_order_relaxed) != 0;
  const auto reserved = reserved_for(size);
  if (!counted)
    enter(ledger, index, size, reserved);
  TROUPE_CRASH_POINT("memory.create.entered");
  const auto id = describe(head, kind, size, of, row);
  TROUPE_CRASH_POINT("memory.create.described");
  if (!counted) {
    head->accounted.store(reserved, std::memory_order_release);
    TROUPE_CRASH_POINT("memory.create.accounted");
    ledger.end();
  }
  own.note(made->entry, id);
  TROUPE_CRASH_POINT("memory.create.unpublished");
  // From here on it can be attached.
  auto seen = head->life_now();
  head->change(seen, life_state::alive);
  TROUPE_CRASH_POINT("memory.create.published");
  table.commit(made, head, id);
  unfinished = {};
  return reference{std::move(made)};
}

/// Undoes what `create_once` had begun when it threw.
void reference::give_up_unfinished(const unfinished_object& what) noexcept {
  if (what.head == nullptr)
    return;
  auto& memory = run_memory::current();
  give_up(what.head, memory.self().index);
  const std::scoped_lock guard{own_row_mutex()};
  hold_table::of_this_process().holds.erase(memory.index_of(what.head));
  own_row::of_this_process().give_entry_back(what.entry);
}

reference reference::create(object_kind kind, std::uint64_t size, contents of) {
  auto& memory = run_memory::current();
  if (size > memory.header().size)
    throw limit_reached(creation_text(size),
                        "the run has an address space of "
                          + std::to_string(memory.header().size) + " bytes",
                        "raise limits::address_space");
  for (;;) {
    unfinished_object unfinished;
    try {
      reference made;
      {
        const std::scoped_lock guard{own_row_mutex()};
        made = create_once(kind, size, of, unfinished);
      }
      if (size > object_head::size_inside && !made.hold_->is_warm)
        warm_memory::make_room();
      return made;
    } catch (const limit_reached&) {
      give_up_unfinished(unfinished);
      // What is kept for later is nothing to fail for.
      if (!warm_memory::give_back_all())
        throw;
    } catch (...) {
      give_up_unfinished(unfinished);
      throw;
    }
  }
}

std::pair<reference, reference>
reference::create_two_sided(object_kind kind, std::uint64_t size) {
  auto first = create(kind, size);
  auto& memory = run_memory::current();
  const auto self = memory.self().index;
  const auto id = other_side(first.id());
  const auto side = memory.side_of(id);
  auto& table = hold_table::of_this_process();
  // Should anything throw, the object goes with its first side.
  const std::scoped_lock guard{own_row_mutex()};
  auto made = std::make_shared<hold>();
  noted note{"create a shared object"};
  table.holds.try_emplace(hold_table::key_of(id));
  note.name(id);
  TROUPE_CRASH_POINT("memory.side.noted");
  side.shares().store(0, std::memory_order_relaxed);
  set_holder(side, self);
  TROUPE_CRASH_POINT("memory.side.described");
  // From here on it can be attached. The count is above every one that the word
  // had: see head_table::free.
  side.life().store(life_word::make(life_state::alive, 0,
                                    side.head->life_now().count() + 1)
                      .bits,
                    std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("memory.side.published");
  made->entry = note.keep();
  table.commit(made, side.head, id);
  return {std::move(first), reference{std::move(made)}};
}

void reference::populate() const noexcept {
  if (!hold_->is_warm)
    os::populate(hold_->data, size());
}

reference reference::attach(object_id id, object_kind kind) {
  auto& memory = run_memory::current();
  const auto self = memory.self().index;
  const auto index = head_number(id);
  const auto key = hold_table::key_of(id);
  const auto refuse = [id](const char* why) {
    throw stale_handle(attempt_text(id), why,
                       "keep a handle until the other side has its own");
  };
  constexpr auto none = "no living object of that kind is there";
  if (!head_table::is_in_use(index))
    refuse(none);
  const auto side = memory.side_of(id);
  bool marked = false;
  std::uint32_t entry = 0;
  {
    auto& table = hold_table::of_this_process();
    const std::scoped_lock guard{own_row_mutex()};
    const auto found = table.holds.find(key);
    if (found != table.holds.end()) {
      // While this process holds the head's object, no other has the head.
      if (found->second.id != id)
        refuse(none);
      if (auto taken = found->second.hold.lock()) {
        if (taken->head->kind.load(std::memory_order_relaxed)
            != static_cast<std::uint32_t>(kind))
          refuse_kind(id, kind, taken->head->kind.load());
        return reference{std::move(taken)};
      }
    }
    auto made = std::make_shared<hold>();
    noted note{"attach a shared object"};
    const bool is_new = found == table.holds.end();
    if (is_new)
      table.holds.try_emplace(key, hold_table::place{id, {}, 0});
    note.name(id);
    TROUPE_CRASH_POINT("memory.attach.noted");
    for (auto seen = side.life_now();
         seen.state() == life_state::alive
         && side.head->generation.load(std::memory_order_relaxed) == id >> 32
         && side.head->kind.load(std::memory_order_relaxed)
              == static_cast<std::uint32_t>(kind);) {
      // The bit first: see end_if_unheld. [attach]
      if (!std::exchange(marked, true))
        set_holder(side, self);
      TROUPE_CRASH_POINT("memory.attach.marked");
      // If `life` has not moved, what was read of the object since is its own.
      if (!side.change(seen, life_state::alive))
        continue;
      made->entry = note.keep();
      table.commit(made, side.head, id);
      return reference{std::move(made)};
    }
    // A hold that is being destroyed still has its bit, and takes it along.
    if (is_new) {
      table.holds.erase(key);
      if (marked)
        clear_holder(side, self);
    }
    marked &= is_new;
    entry = note.keep();
  }
  // The bit may have kept another object, that has the head by now, from its
  // end.
  if (marked)
    end_if_unheld(side, self);
  head_table::looked_at(index);
  const std::scoped_lock guard{own_row_mutex()};
  own_row::of_this_process().give_entry_back(entry);
  refuse(marked ? "its last holder gave it up meanwhile" : none);
  return {};
}

reference::hold::~hold() {
  // A child that the user forked has a copy of this hold, not a hold.
  if (owner != os::this_pid())
    return;
  auto& table = hold_table::of_this_process();
  const auto self = run_memory::current().self().index;
  const object_side side{head, is_second_side(id)};
  bool last = false;
  {
    const std::scoped_lock guard{own_row_mutex()};
    // Another thread may have attached anew since the count went to zero. The
    // last hold that comes here takes the bit along: so whatever threads have
    // done with the object comes before its end.
    const auto found = table.holds.find(hold_table::key_of(id));
    last = found != table.holds.end() && found->second.id == id
           && --found->second.holds == 0;
    if (last) {
      table.holds.erase(found);
      const auto operations = operations_of(
        static_cast<object_kind>(head->kind.load(std::memory_order_relaxed)));
      if (operations.holder_left != nullptr)
        operations.holder_left(data, head->size.load(std::memory_order_relaxed),
                               self);
      clear_holder(side, self);
      TROUPE_CRASH_POINT("memory.drop.cleared");
    }
  }
  // Not under the lock: to give a large object back takes its time.
  if (last)
    end_if_unheld(side, self);
  const std::scoped_lock guard{own_row_mutex()};
  own_row::of_this_process().give_entry_back(entry);
}

object_kind kind_of(object_id id) noexcept {
  auto& memory = run_memory::current();
  if (!head_table::is_in_use(head_number(id)))
    return object_kind::none;
  const auto side = memory.side_of(id);
  const auto kind
    = static_cast<object_kind>(side.head->kind.load(std::memory_order_relaxed));
  if (is_object(side, id, kind))
    return kind;
  head_table::looked_at(head_number(id));
  return object_kind::none;
}

reference reference::create_with_shares(object_kind kind, std::uint64_t size,
                                        std::span<const object_id> of,
                                        contents rest) {
  if (of.empty())
    return create(kind, size, rest);
  auto& memory = run_memory::current();
  for (const auto id : of)
    if (memory.side_of(id).shares_now().count() >= share_word::most / 2)
      throw limit_reached("send a handle of the object " + std::to_string(id),
                          "it is in " + std::to_string(share_word::most / 2)
                            + " places that keep it alive already",
                          "take messages before you send more");
  auto made = create(kind, share_list::bytes_for(of.size()) + size, rest);
  auto& list = *made.as<share_list>();
  // The ids behind those that are zero in any new object.
  std::memset(list.ids(), 0, of.size_bytes());
  list.count = of.size();
  made.hold_->head->flags.fetch_or(object_head::has_shares,
                                   std::memory_order_seq_cst);
  shares::add(of, list);
  return made;
}

std::span<const object_id> reference::shared_ids() const noexcept {
  return shares::of(hold_->head);
}

std::span<std::byte> reference::behind_shares() const noexcept {
  const auto ids = shared_ids();
  return bytes().subspan(ids.empty() ? 0 : share_list::bytes_for(ids.size()));
}

void keep_alive(const reference& object) noexcept {
  run_memory::current()
    .head_of(object.id())
    ->shares.fetch_add(1, std::memory_order_seq_cst);
}

void forget(object_id id) noexcept {
  if (kind_of(id) == object_kind::none)
    return;
  auto& memory = run_memory::current();
  auto* const head = memory.head_of(id);
  const own_note note{"forget an object", id};
  TROUPE_CRASH_POINT("memory.forget.noted");
  auto seen = head->shares_now();
  while (seen.count() != 0
         && !head->shares.compare_exchange_weak(seen.bits, seen.bits - 1,
                                                std::memory_order_seq_cst)) {
  }
  TROUPE_CRASH_POINT("memory.forget.counted");
  end_if_unheld(head, memory.self().index);
}

void entrust(std::atomic<object_id>& place, const reference& object) noexcept {
  // The place first: killed in between, the caller leaves an id and no share.
  place.store(object.id(), std::memory_order_seq_cst);
  keep_alive(object);
}

void forget_at(std::atomic<object_id>& place) noexcept {
  auto id = place.load(std::memory_order_seq_cst);
  if (id == 0)
    return;
  try {
    // Held meanwhile: another may do the same, and then another object have the
    // head.
    const auto held = reference::attach(id, kind_of(id));
    forget(id);
  } catch (const stale_handle&) {
    // It is gone.
  } catch (const std::exception&) {
    // There is no room to hold it, and nobody else is there, as a rule.
    forget(id);
  }
  // Only now: killed before, the caller leaves an id with which this is done
  // again.
  place.compare_exchange_strong(id, 0, std::memory_order_seq_cst);
}

namespace {

/// Gives back what a dead process held, or was about to do, with one object.
void release(std::uint32_t row, std::atomic<object_id>& entry) noexcept {
  const auto id = entry.load(std::memory_order_acquire);
  if (id == 0)
    return;
  const auto index = head_number(id);
  if (head_table::is_in_use(index)) {
    auto& memory = run_memory::current();
    const auto side = memory.side_of(id);
    auto* const head = side.head;
    finish_work(head, row);
    if (is_holder(side, row)) {
      const auto operations
        = operations_of(static_cast<object_kind>(head->kind.load()));
      if (side.life_now().state() == life_state::alive
          && operations.holder_died != nullptr)
        operations.holder_died(memory.payload_of(head), head->size.load(), row);
      clear_holder(side, row);
      TROUPE_CRASH_POINT("memory.release.cleared");
    }
    end_if_unheld(side, row);
  }
  // The dead process may have looked at the page when it was gone, too.
  head_table::looked_at(index);
  TROUPE_CRASH_POINT("memory.release.reclaimed");
  entry.store(0, std::memory_order_release);
}

} // namespace

void own(std::atomic<object_id>& place, const reference& object) noexcept {
  // The place first: killed in between, the caller leaves an id and no bit.
  place.store(object.id(), std::memory_order_seq_cst);
  run_memory::current()
    .head_of(object.id())
    ->flags.fetch_or(object_head::is_owned, std::memory_order_seq_cst);
}

void disown(std::atomic<object_id>& place) noexcept {
  const auto id = place.load(std::memory_order_seq_cst);
  if (id == 0)
    return;
  try {
    // Held meanwhile: if the bit has been cleared before, the object may end at
    // any time, and another one have the head.
    const auto held = reference::attach(id, kind_of(id));
    run_memory::current().head_of(id)->flags.fetch_and(
      ~object_head::is_owned, std::memory_order_seq_cst);
  } catch (const std::exception&) {
    // It is gone, or there is no room to hold it.
  }
  place.store(0, std::memory_order_seq_cst);
}

void release_holdings(std::uint32_t index) noexcept {
  head_table::settle(index);
  settle_ledger(index);
  // Before any bit of the dead process is cleared: what it was about to count
  // is held by it.
  shares::settle(index);
  warm_memory::settle(index);
  handle_table::for_each(
    index,
    [](void* context, std::atomic<object_id>& entry) {
      release(*static_cast<const std::uint32_t*>(context), entry);
    },
    &index);
  // Pages that the heads of the last objects have left empty.
  head_table::settle(index);
  handle_table::free(index);
}

void start_without_holdings() noexcept {
  const std::scoped_lock guard{own_row_mutex()};
  hold_table::of_this_process().holds.clear();
  own_row::of_this_process().reset();
}

} // namespace troupe::memory
