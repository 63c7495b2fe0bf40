// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/barrier_state.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <climits>
#include <string>

namespace troupe::sync {

namespace {

constexpr std::uint32_t nobody = 0xFFFF'FFFF;

} // namespace

std::uint64_t barrier_state::size() {
  const auto slots = memory::run_memory::current().header().slots;
  return sizeof(barrier_state) + (std::uint64_t{slots} / 64 + 1) * 8;
}

void barrier_state::initialise(std::uint32_t parties, std::int64_t limit,
                               std::uint32_t row) noexcept {
  parties_ = parties;
  limit_ = limit;
  creator_.store(row, std::memory_order_relaxed);
}

void barrier_state::wake_all() noexcept {
  sleepers_.wake_if_occupied(INT_MAX);
  notify_home(actor_);
}

void barrier_state::take_part(std::uint32_t row) noexcept {
  arrived_word(row).fetch_or(1ULL << (row % 64), std::memory_order_seq_cst);
}

/// Applies `step` to a view until it is stored; false if `step` returns false.
/// Wakes everybody after a change.
template <class Step>
bool barrier_state::change(Step step) noexcept {
  auto seen = word_.load(std::memory_order_seq_cst);
  for (;;) {
    auto wanted = view::of(seen);
    if (!step(wanted))
      return false;
    // seq_cst: whoever counts itself a sleeper after this sees it, see
    // waiting_room.
    if (word_.compare_exchange_weak(seen, wanted.word(),
                                    std::memory_order_seq_cst))
      break;
  }
  TROUPE_CRASH_POINT("sync.barrier.changed");
  wake_all();
  return true;
}

bool barrier_state::try_arrive(std::uint32_t row, arrival& done) noexcept {
  // Before the arrival: whoever dies having arrived is known to have been here.
  take_part(row);
  auto seen = word_.load(std::memory_order_seq_cst);
  for (;;) {
    auto wanted = view::of(seen);
    if (wanted.now == broken) {
      done = {outcome::broken, 0, wanted.epoch};
      return true;
    }
    if (wanted.now != filling)
      return false;
    const std::uint32_t index = wanted.count++;
    const bool last = wanted.count == parties_;
    if (last)
      wanted.now = acting;
    // seq_cst: as in `change`. Nobody waits for an arrival but the last.
    if (word_.compare_exchange_weak(seen, wanted.word(),
                                    std::memory_order_seq_cst)) {
      TROUPE_CRASH_POINT("sync.barrier.arrived");
      done = {last ? outcome::last : outcome::passed, index, wanted.epoch};
      return true;
    }
  }
}

bool barrier_state::look(arrival& of) noexcept {
  const auto seen = now();
  if (seen.epoch != of.epoch)
    of.result = outcome::reset;
  else if (seen.now == broken)
    of.result = outcome::broken;
  else if (seen.now == draining) {
    leave(of.epoch);
    of.result = outcome::passed;
  } else
    return false;
  return true;
}

barrier_state::arrival barrier_state::arrive(std::uint32_t row,
                                             deadline limit) {
  arrival done{};
  while (!try_arrive(row, done)) {
    const auto before = now();
    // Those who leave the last round have passed, so they cannot be broken.
    const auto until = before.now == draining ? deadline::never() : limit;
    const bool open = sleepers_.wait(
      [&] {
        const auto seen = now();
        return seen.now == filling || seen.now == broken
               || seen.epoch != before.epoch;
      },
      until, memory::wait_kind::arrivals);
    if (!open)
      break_epoch(breakage::timed_out, before.epoch);
  }
  if (done.result != outcome::passed)
    return done;
  const bool over = sleepers_.wait(
    [&] {
      const auto seen = now();
      return seen.epoch != done.epoch || seen.now == draining
             || seen.now == broken;
    },
    limit, memory::wait_kind::arrivals);
  TROUPE_CRASH_POINT("sync.barrier.woken");
  if (!over)
    break_epoch(breakage::timed_out, done.epoch);
  static_cast<void>(look(done));
  return done;
}

bool barrier_state::release(arrival& last) noexcept {
  const bool released = change([&](view& of) {
    if (of.epoch != last.epoch || of.now != acting)
      return false;
    of.now = draining;
    return true;
  });
  if (released)
    leave(last.epoch);
  else
    static_cast<void>(look(last));
  return released;
}

void barrier_state::leave(std::uint32_t epoch) noexcept {
  auto seen = word_.load(std::memory_order_seq_cst);
  for (;;) {
    auto wanted = view::of(seen);
    if (wanted.epoch != epoch || wanted.now != draining)
      return;
    const bool last = --wanted.count == 0;
    if (last)
      wanted.now = filling;
    if (!word_.compare_exchange_weak(seen, wanted.word(),
                                     std::memory_order_seq_cst))
      continue;
    TROUPE_CRASH_POINT("sync.barrier.left");
    // Those of the next round may wait to come in.
    if (last)
      wake_all();
    return;
  }
}

void barrier_state::break_all(breakage why) noexcept {
  static_cast<void>(change([why](view& of) {
    if (of.now == broken)
      return false;
    of.now = broken;
    of.why = why;
    return true;
  }));
}

void barrier_state::break_epoch(breakage why, std::uint32_t epoch) noexcept {
  static_cast<void>(change([=](view& of) {
    if (of.epoch != epoch || of.now == broken || of.now == draining)
      return false;
    of.now = broken;
    of.why = why;
    return true;
  }));
}

void barrier_state::reset() noexcept {
  static_cast<void>(change([](view& of) {
    // Those who drain have passed; the next round comes after them.
    if (of.now == draining || (of.now == filling && of.count == 0))
      return false;
    of = {filling, breakage::none, 0, of.epoch + 1};
    return true;
  }));
}

void barrier_state::note_death(std::uint32_t row) noexcept {
  const auto& dead = memory::run_memory::current().slot(row);
  broken_name_.set(dead.name);
  broken_pid_.store(dead.pid.load(std::memory_order_relaxed),
                    std::memory_order_relaxed);
  // release: pairs with the acquire in broken_by.
  broken_by_.store(row + 1, std::memory_order_release);
}

std::string barrier_state::broken_by() const {
  // acquire: pairs with the release in note_death.
  if (broken_by_.load(std::memory_order_acquire) == 0)
    return {};
  return memory::description_of(broken_name_.get(),
                                broken_pid_.load(std::memory_order_relaxed));
}

void barrier_state::on_death(std::uint32_t row) noexcept {
  const auto bit = 1ULL << (row % 64);
  const bool member
    = (row != creator_.load(std::memory_order_relaxed) && !is_home(actor_, row))
      || (arrived_word(row).load(std::memory_order_seq_cst) & bit) != 0;
  if (member) {
    note_death(row);
    break_all(breakage::member_died);
  }
  TROUPE_CRASH_POINT("sync.repair.broken");
  forget(row);
  // The dead may have changed the word and woken nobody.
  sleepers_.evacuate();
  notify_home(actor_);
}

void barrier_state::forget(std::uint32_t row) noexcept {
  arrived_word(row).fetch_and(~(1ULL << (row % 64)), std::memory_order_seq_cst);
  // The next process in that row is another.
  auto creator = row;
  creator_.compare_exchange_strong(creator, nobody, std::memory_order_relaxed);
}

} // namespace troupe::sync
