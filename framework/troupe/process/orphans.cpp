// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/orphans.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/lineage.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/inherited_descriptors.hpp>
#include <troupe/process/table.hpp>

#include <algorithm>
#include <utility>

namespace troupe::hosting {

namespace {

using memory::run_memory;

constexpr int looks_after_death = 20;
constexpr std::size_t most_watched = 128;

/// A process that nobody has waited for, and that is no more: the program
/// ignores SIGCHLD, or waits for whatever child ends, and has taken its end
/// along. Who tells of a death does so before the zombie goes, so that a slot
/// which is alive afterwards has lost it.
void confirm_if_gone(slot_id id, std::int32_t pid) {
  constexpr int unknown_code = 255;
  if (os::has_number(pid))
    return;
  auto* slot = run_memory::current().find(id);
  if (slot != nullptr && slot->claimant() == pid
      && is_alive(slot->current_state()) && !os::peek_child(pid).is_child)
    confirm_death(id.index, {pid, false, unknown_code});
}

/// Whether `pid` is a child of the root that descends from a fork server, of
/// this run or of a program that a child of the root has executed. Asked after
/// the child before and after, so that its number is not another's.
bool is_adopted(std::int32_t pid) noexcept {
  return os::peek_child(pid).is_child && os::has_other_lineage(pid)
         && os::peek_child(pid).is_child;
}

} // namespace

void orphans::look(const server_process& server) {
  unclaimed_ = false;
  looks_left_ = std::max(looks_left_ - 1, 0);
  for_each_host([&](std::uint32_t index, process_slot& slot) {
    const auto generation = slot.generation.load(std::memory_order_acquire);
    const auto pid = slot.claimant();
    if (pid == 0)
      unclaimed_ = unclaimed_ || slot.current_state() == slot_state::starting;
    else if (!is_watched(pid) && os::peek_child(pid).is_child)
      watch(pid);
    else if (!is_watched(pid))
      confirm_if_gone({index, generation}, pid);
  });
  for (const auto pid : os::children())
    if (!server.is(pid) && !is_watched(pid) && is_adopted(pid))
      watch(pid);
  if (unclaimed_)
    expect();
}

void orphans::expect() noexcept {
  looks_left_ = looks_after_death;
}

void orphans::watch(std::int32_t pid) {
  os::descriptor ended;
  if (watched_.size() < most_watched) {
    try {
      ended = os::open_pidfd(pid);
    } catch (const error&) {
      // Out of descriptors, which are the user's to spend.
      unwatched_ = true;
    }
  }
  unwatched_ = unwatched_ || !ended;
  watched_.push_back({pid, std::move(ended)});
}

bool orphans::is_watched(std::int32_t pid) const noexcept {
  return std::any_of(watched_.begin(), watched_.end(),
                     [pid](const orphan& each) { return each.pid == pid; });
}

bool orphans::reclaim() {
  const auto before = watched_.size();
  std::erase_if(watched_, [](const orphan& each) {
    const auto state = os::peek_child(each.pid, each.ended.get());
    if (state.is_child && !state.ended)
      return false;
    for_each_host([&](std::uint32_t index, process_slot& slot) {
      // The dead server may have told of it already.
      if (slot.claimant() != each.pid)
        return;
      if (state.ended)
        confirm_death(index, *state.ended);
      else
        confirm_if_gone({index, slot.generation.load()}, each.pid);
    });
    if (state.ended)
      os::reap(each.pid, each.ended.get());
    return true;
  });
  unwatched_ = std::any_of(watched_.begin(), watched_.end(),
                           [](const orphan& each) { return !each.ended; });
  return watched_.size() != before;
}

void orphans::finish_reaping() {
  auto& reaping = run_memory::current().header().reaping;
  const auto pid = reaping.exchange(0);
  bool is_alive_still = false;
  for_each_host([&](std::uint32_t, process_slot& slot) {
    is_alive_still = is_alive_still || slot.claimant() == pid;
  });
  // Else its death is confirmed from the beginning, by `reclaim`.
  const bool is_confirmed = pid != 0 && !is_alive_still;
  if (is_confirmed)
    finish_announcement(pid);
  // Of this one or of others before it.
  tell_of_deaths();
  if (is_confirmed && !is_watched(pid) && is_adopted(pid)
      && os::peek_child(pid).ended)
    os::reap(pid);
}

void orphans::add_to(std::vector<os::watched>& waiting) const {
  for (const auto& each : watched_)
    if (each.ended)
      waiting.push_back({each.ended.get()});
}

std::optional<std::chrono::milliseconds> orphans::next_look() const noexcept {
  // Of these nothing tells: an orphan that claims its slot, or finds it taken,
  // after its server's death; one without a descriptor.
  if (unclaimed_ || unwatched_)
    return std::chrono::milliseconds{5};
  if (looks_left_ > 0)
    return std::chrono::milliseconds{50};
  return std::nullopt;
}

} // namespace troupe::hosting
