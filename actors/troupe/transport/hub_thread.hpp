// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/memory/counters.hpp>
#include <troupe/os/thread_use.hpp>
#include <troupe/transport/caf_version.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>

namespace troupe::transport {

/// Which of the hub's threads leads, and whether it is inside an actor now.
///
///     bit 0       1: in an actor
///     bits 1-15   number of the thread that leads
///     bits 16-63  changes so far
///
/// Only the leader changes the word, save that a watcher that has seen the
/// same "in an actor" twice may make itself the leader. So the leader that
/// comes back from an actor learns by its own compare-exchange whether it
/// still leads.
class leader_state {
public:
  static constexpr std::uint64_t busy = 1;
  static constexpr std::uint64_t one_change = 1 << 16;

  [[nodiscard]] static constexpr std::uint64_t thread(std::uint64_t word) {
    return (word >> 1) & 0x7FFF;
  }

  [[nodiscard]] std::uint64_t load() const noexcept {
    return word_.load(std::memory_order_seq_cst);
  }

  /// The leader enters an actor. Returns what `leave` wants.
  std::uint64_t enter() noexcept {
    const auto entered = (word_.load(std::memory_order_relaxed) + one_change)
                         | busy;
    // seq_cst: pairs with the watcher's look before it sleeps.
    word_.exchange(entered, std::memory_order_seq_cst);
    return entered;
  }

  /// Back from the actor. False: another thread leads now.
  [[nodiscard]] bool leave(std::uint64_t entered) noexcept {
    return word_.compare_exchange_strong(entered, entered & ~busy,
                                         std::memory_order_acq_rel);
  }

  /// The leader has been in the same actor since `entered` was read.
  [[nodiscard]] bool take_over(std::uint64_t entered,
                               std::uint64_t thread) noexcept {
    const auto taken = ((entered & ~(one_change - 1)) + one_change)
                       | (thread << 1);
    return word_.compare_exchange_strong(entered, taken,
                                         std::memory_order_acq_rel);
  }

private:
  // seq_cst in `enter` and `load`: the leader enters and then looks whether the
  // watcher sleeps, which says so and then looks at this. acq_rel in `leave`
  // and `take_over`: whoever leads then finds what the last one has done.
  alignas(cache_line) std::atomic<std::uint64_t> word_{0};
};

/// One thread of the hub, as CAF sees it: the context in which actors run that
/// it woke.
class hub_thread final : public version::own_context {
public:
  hub_thread(caf::actor_system& system, std::uint64_t number);

  void later(caf::resumable* woken) override;

  [[nodiscard]] std::uint64_t number() const noexcept {
    return number_;
  }

  /// Takes the next actor to run, or nullptr.
  [[nodiscard]] caf::resumable* next();

  [[nodiscard]] bool idle() const noexcept {
    return waiting_.load(std::memory_order_relaxed) == 0;
  }

  /// Takes all actors that wait here; for a thread that takes over.
  [[nodiscard]] std::deque<caf::resumable*> take_all();

  /// From now on actors woken here go to CAF's threads.
  void retire() noexcept {
    retired_.store(true, std::memory_order_seq_cst);
  }

  void reinstate() noexcept {
    retired_.store(false, std::memory_order_seq_cst);
  }

  /// Set by `hub::note_flood` while an actor runs here.
  bool flooded = false;

  /// Its thread, for the watcher to look at.
  os::thread_mark thread;

  /// The actor that runs here, 0 for none, and the name of its type as the
  /// compiler has it.
  // `running` and `type`: relaxed, stored before `leader_state::enter`, read
  // after `leader_state::take_over`.
  std::atomic<caf::actor_id> running{0};
  std::atomic<const char*> type{nullptr};

  /// What this thread shows to whoever looks at the run; nullptr if it does
  /// not.
  memory::actor_thread_counters* shown = nullptr;

private:
  /// A lock for a few instructions, nearly always free: the owner's, except
  /// while a watcher takes over.
  class guard {
  public:
    explicit guard(std::atomic_flag& flag) noexcept : flag_(flag) {
      while (flag_.test_and_set(std::memory_order_acquire)) {
      }
    }
    ~guard() {
      flag_.clear(std::memory_order_release);
    }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;

  private:
    std::atomic_flag& flag_;
  };

  caf::actor_system& system_;
  std::uint64_t number_;
  // acquire and release in `guard`.
  std::atomic_flag locked_;
  std::deque<caf::resumable*> jobs_;
  // `waiting_`: relaxed, written under the lock; `idle` is asked by the thread
  // whose own these jobs are. `retired_`: seq_cst where it is set, relaxed
  // under the lock; relaxed would do, for `take_all`, which comes next, takes
  // the lock.
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> retired_{false};
};

/// Remembers actors whose handlers are slow.
///
/// Each slow run costs eight points, each quick one gives one back. From 24 on,
/// the actor's next messages go to CAF's threads: 64 at first, twice as many
/// each further time; every 256 quick runs halve that again. After a first slow
/// run the next ones are measured by processor time, which costs a system call
/// each: they are slow only if that was much, or if the thread has waited, so
/// that an actor that was only preempted is not penalised. The leader's alone.
class slow_actors {
public:
  static constexpr std::chrono::microseconds slow{200};

  /// Whether the actor's next run is to be measured.
  [[nodiscard]] bool is_measured(caf::actor_id actor) const noexcept {
    const auto& entry = entries_[actor % entries_.size()];
    return entry.actor == actor && entry.points > 0;
  }

  /// Whether a run between these two was slow, whatever others did meanwhile.
  [[nodiscard]] static bool was_slow(const os::thread_use& before,
                                     const os::thread_use& after) noexcept {
    return after.time - before.time > slow || after.waits != before.waits;
  }

  /// The actor has run, slowly or not.
  void note(caf::actor_id actor, bool was_slow) noexcept {
    auto& entry = entries_[actor % entries_.size()];
    if (was_slow) {
      if (entry.actor != actor)
        entry = {actor, 0, 0, shortest};
      entry.points += 8;
      if (entry.points >= limit)
        run_elsewhere(entry);
    } else if (entry.actor == actor) {
      if (entry.points > 0)
        --entry.points;
      else if (entry.elsewhere_next > shortest && ++entry.quick % 256 == 0)
        entry.elsewhere_next /= 2;
    }
  }

  /// The actor's next messages go to CAF's threads at once.
  void demote(caf::actor_id actor) noexcept {
    auto& entry = entries_[actor % entries_.size()];
    if (entry.actor != actor)
      entry = {actor, 0, 0, shortest};
    run_elsewhere(entry);
  }

  /// Whether the next message goes to CAF's threads. Counts it.
  [[nodiscard]] bool runs_elsewhere(caf::actor_id actor) noexcept {
    auto& entry = entries_[actor % entries_.size()];
    if (entry.actor != actor || entry.elsewhere == 0)
      return false;
    --entry.elsewhere;
    return true;
  }

private:
  static constexpr int limit = 24;
  static constexpr std::uint32_t shortest = 64;
  static constexpr std::uint32_t longest = 1 << 16;

  struct entry {
    caf::actor_id actor = 0;
    int points = 0;
    /// How many of its next messages go to CAF's threads.
    std::uint32_t elsewhere = 0;
    /// How many the next time.
    std::uint32_t elsewhere_next = shortest;
    std::uint32_t quick = 0;
  };

  static void run_elsewhere(entry& which) noexcept {
    which.points = 0;
    which.elsewhere = which.elsewhere_next;
    if (which.elsewhere_next < longest)
      which.elsewhere_next *= 2;
  }

  std::array<entry, 256> entries_{};
};

} // namespace troupe::transport
