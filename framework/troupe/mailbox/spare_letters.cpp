// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/spare_letters.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/burial.hpp>
#include <troupe/os/process_id.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

namespace troupe::mailbox {

namespace {

using memory::object_kind;
using memory::reference;
using spares = std::array<reference, spare_letters::most_objects>;

struct shelf {
  std::mutex mutex;
  spares kept;
  std::int32_t owner = 0;

  /// What a forked child finds here is its parent's.
  void claim() noexcept {
    const auto self = os::this_pid();
    if (owner != self)
      kept = {};
    owner = self;
  }
};

shelf& shelf_of_this_process() noexcept {
  // Never destroyed, for the sake of mailboxes in static variables.
  static auto& only = *new shelf;
  return only;
}

bool is_carried(const reference& letter) noexcept {
  // seq_cst: pairs with the end of the share, after which nobody reads.
  return memory::head_at(letter.where())->in_flight.load() != 0;
}

/// Begins a turn, before the letter has a share: see `large_letter::is_carried`.
reference begun(reference letter) noexcept {
  letter.as<large_letter>()->turn.fetch_add(1);
  return letter;
}

} // namespace

bool large_letter::is_carried(memory::offset where,
                              std::uint64_t number) noexcept {
  auto& memory = memory::run_memory::current();
  if (!memory.may_find(where, object_kind::letter))
    return false;
  // First the share and then the turn: a turn begins before it has a share, so
  // the share is of no later one. And no turn begins while there is a share.
  auto* head = memory::head_at(where);
  if (head->in_flight.load() != 0)
    return reinterpret_cast<large_letter*>(head->bytes())->turn.load()
           == number;
  memory::give_back_if_gone(where);
  return false;
}

reference spare_letters::take(std::uint64_t size) {
  // Given back behind the lock.
  reference too_small;
  size += sizeof(large_letter);
  {
    auto& here = shelf_of_this_process();
    const std::scoped_lock guard{here.mutex};
    here.claim();
    for (auto& each : here.kept) {
      if (!each || is_carried(each))
        continue;
      if (each.size() >= size)
        return begun(std::exchange(each, {}));
      too_small = std::exchange(each, {});
    }
  }
  too_small.reset();
  reference made;
  try {
    made = reference::create(object_kind::letter, size);
  } catch (const limit_reached&) {
    if (!any_.load(std::memory_order_relaxed))
      throw;
    give_back();
    made = reference::create(object_kind::letter, size);
  }
  // One call for all pages, and not a fault for each.
  made.populate();
  return begun(std::move(made));
}

void spare_letters::keep(reference letter) noexcept {
  auto& memory = memory::run_memory::current();
  if (memory.reserved_bytes() > memory.header().memory_limit.load() / 8)
    return;
  auto& here = shelf_of_this_process();
  const std::scoped_lock guard{here.mutex};
  here.claim();
  auto bytes = letter.size();
  for (const auto& each : here.kept)
    bytes += each ? each.size() : 0;
  auto* const place = std::ranges::find_if(
    here.kept, [](const reference& each) { return !each; });
  if (bytes > most_bytes || place == here.kept.end())
    return;
  *place = std::move(letter);
  any_.store(true, std::memory_order_relaxed);
}

bool spare_letters::wait(const os::wait_word& word, std::uint32_t expected,
                         deadline limit) noexcept {
  const auto nap = any_.load(std::memory_order_relaxed)
                     ? std::min(limit, deadline::after(idle))
                     : limit;
  if (os::wait(word, expected, nap))
    return true;
  if (nap == limit)
    return false;
  give_back();
  return true;
}

void spare_letters::give_back() noexcept {
  spares gone;
  auto& here = shelf_of_this_process();
  const std::scoped_lock guard{here.mutex};
  here.claim();
  gone = std::exchange(here.kept, {});
  any_.store(false, std::memory_order_relaxed);
}

} // namespace troupe::mailbox
