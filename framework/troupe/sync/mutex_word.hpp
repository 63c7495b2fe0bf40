// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/memory/late_object.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/os/coarse_clock.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/sync/actor_location.hpp>
#include <troupe/sync/owner.hpp>
#include <troupe/sync/wait_queue.hpp>

#include <atomic>
#include <cstdint>

namespace troupe::sync {

/// What a mutex is in shared memory.
///
///     0     word    bit 0   owner    who holds it, see `owner`; 0: free
///                   40      waiting  somebody stands in the queue
///                   41      woken   the first of the queue has been woken and
///                                    has not gone back to sleep
///                   42      owed     the first was overtaken often enough: the
///                                    next unlock hands the lock to it
///                   43      died     an owner died with it, and the owner that
///                                    was told so has not unlocked yet
///     8     fence   counts the owners; written by each
///     16    since   when the owner got it, `os::coarse_now`
///     24    depth   how often a recursive owner has it
///     28    recursive
///     32    actor   where its actor is
///     48    client  the whole id of an owner that is an actor
///     64    guard    the robust lock of the queue
///     72    queue    an object of its own, made for the first who stands in it;
///                   the mark of a place is the fence when it was taken, and in
///                   bit 63 whether the lock was handed to it
///
/// The word alone says who holds the lock, and is changed by compare-exchange
/// only. What it says of the queue is set and cleared under the robust lock of
/// the queue, or mended there. docs/design/sync.md argues each transition and
/// each death.
class mutex_word {
public:
  static constexpr std::uint64_t waiting = 1ULL << 40;
  static constexpr std::uint64_t woken = 1ULL << 41;
  static constexpr std::uint64_t owed = 1ULL << 42;
  static constexpr std::uint64_t died = 1ULL << 43;

  /// Owners that may come before one who waits longer than they, each time
  /// that one is first in the queue.
  static constexpr std::uint64_t most_overtakes = 1024;

  /// Threads that may wait in order; more wait for a place first. So many that
  /// all fits one page.
  static constexpr std::uint32_t most_waiters = 96;

  [[nodiscard]] static constexpr std::uint64_t size() noexcept {
    return sizeof(mutex_word);
  }

  /// See `memory::layout_of`.
  [[nodiscard]] static constexpr std::uint32_t layout() noexcept {
    return memory::layout_of(
      {sizeof(mutex_word), offsetof(mutex_word, word_),
       offsetof(mutex_word, fence_), offsetof(mutex_word, since_),
       offsetof(mutex_word, recursive_), owner::thread_bits, owner::row_bits});
  }

  /// Takes the lock if it is free.
  [[nodiscard]] bool try_take(owner me) noexcept {
    std::uint64_t seen = 0;
    // acquire: pairs with the release of whoever had the lock before.
    if (word_.compare_exchange_strong(seen, me.bits(),
                                      std::memory_order_acquire,
                                      std::memory_order_relaxed)) [[likely]] {
      note_taken();
      return true;
    }
    return take_if_free(seen, me);
  }

  /// Waits for the lock. False: `limit` has passed. Where there is no memory
  /// for the queue, it looks every millisecond, and nobody is before another.
  /// @pre `me` does not hold it
  [[nodiscard]] bool take(owner me, deadline limit) noexcept;

  /// Gives the lock back; false if `me` does not hold it.
  [[nodiscard]] bool give_back(owner me) noexcept {
    auto seen = me.bits();
    TROUPE_CRASH_POINT("sync.unlock.before");
    // release: pairs with the acquire of whoever takes the lock next.
    if (word_.compare_exchange_strong(seen, 0, std::memory_order_release,
                                      std::memory_order_relaxed)) [[likely]]
      return true;
    return give_back_slowly(seen, me);
  }

  /// Puts `me` into the queue without sleeping, for an actor that answers when
  /// the place is woken. Nullptr: there is no room. An actor may stand there
  /// several times, and own the lock meanwhile.
  [[nodiscard]] waiter* enqueue(owner me, std::uint32_t host) noexcept;

  /// What who waits in the queue does when it was woken. True: the lock is
  /// `me`'s, and the place is given up.
  [[nodiscard]] bool take_as_waiter(owner me, waiter& at, std::uint64_t ticket,
                                    std::uint32_t row) noexcept;

  /// Gives up waiting. True: too late, the lock is `me`'s.
  [[nodiscard]] bool leave_queue(owner me, waiter& at, std::uint64_t ticket,
                                 std::uint32_t row) noexcept;

  /// Whether an unlock has made who waits at `at` the owner.
  [[nodiscard]] static bool is_handed_to(const waiter& at) noexcept {
    return (at.mark.load(std::memory_order_relaxed) & handed) != 0;
  }

  [[nodiscard]] owner holder() const noexcept {
    return owner{word_.load(std::memory_order_relaxed)};
  }

  /// Returns whether an owner died with the lock and its present owner, if
  /// there is one, is the first to have it since.
  [[nodiscard]] bool owner_died() const noexcept {
    return (word_.load(std::memory_order_relaxed) & died) != 0;
  }

  /// Returns whether the next unlock hands the lock to the first of the queue.
  [[nodiscard]] bool is_owed() const noexcept {
    return (word_.load(std::memory_order_relaxed) & owed) != 0;
  }

  [[nodiscard]] std::uint64_t fence() const noexcept {
    return fence_.load(std::memory_order_acquire);
  }

  [[nodiscard]] std::int64_t since() const noexcept {
    return since_.load(std::memory_order_relaxed);
  }

  /// How often a recursive owner has the lock; only for that one.
  [[nodiscard]] std::uint32_t depth() const noexcept {
    return depth_.load(std::memory_order_relaxed);
  }

  void set_depth(std::uint32_t depth) noexcept {
    depth_.store(depth, std::memory_order_relaxed);
  }

  [[nodiscard]] bool is_recursive() const noexcept {
    return recursive_ != 0;
  }

  void make_recursive() noexcept {
    recursive_ = 1;
  }

  [[nodiscard]] wait_queue waiters() noexcept {
    return wait_queue{guard_, queue_.find(), most_waiters};
  }

  /// Gives up the queue; for the mutex's last holder.
  void dispose() noexcept {
    queue_.give_up();
  }

  [[nodiscard]] actor_location& actor() noexcept {
    return actor_;
  }

  /// The whole id of an owner that is an actor; for the mutex actor.
  [[nodiscard]] std::atomic<std::uint64_t>& client() noexcept {
    return client_;
  }

  /// Frees the lock if the process in `row` holds it; then the queue is to be
  /// repaired. Waits for nobody.
  void take_from(std::uint32_t row) noexcept;

  /// The same if `who` holds it: an actor that ended before its process.
  bool take_from(owner who, std::uint32_t own_row) noexcept;

  /// Brings the queue in order after the death of the process in `row`. Inside
  /// the robust lock.
  void repair(std::uint32_t row) noexcept;

private:
  static constexpr std::uint64_t handed = 1ULL << 63;

  void note_taken() noexcept {
    TROUPE_CRASH_POINT("sync.lock.taken");
    // Only the owner writes these. release: pairs with the acquire in fence().
    fence_.store(fence_.load(std::memory_order_relaxed) + 1,
                 std::memory_order_release);
    since_.store(os::coarse_now(), std::memory_order_relaxed);
  }

  [[nodiscard]] bool take_if_free(std::uint64_t seen, owner me) noexcept;
  [[nodiscard]] bool spin(owner me, deadline limit) noexcept;
  [[nodiscard]] bool give_back_slowly(std::uint64_t seen, owner me) noexcept;
  void wake_first(std::uint32_t row) noexcept;
  bool hand_over() noexcept;
  void settle() noexcept;
  [[nodiscard]] bool may_sleep(waiter& at, std::uint64_t seen,
                               std::uint32_t row) noexcept;

  // `word_`: acquire by who takes the lock, release by who gives it back.
  // seq_cst where somebody waits: an unlock finds who has queued, or that one
  // finds the lock free.
  // `fence_`, `since_` and `depth_`: only the owner writes them. `fence_` is
  // release in `note_taken`, acquire in `fence`; the others are relaxed, and a
  // look at them without the lock is a glimpse.
  std::atomic<std::uint64_t> word_;
  std::atomic<std::uint64_t> fence_;
  std::atomic<std::int64_t> since_;
  std::atomic<std::uint32_t> depth_;
  std::uint32_t recursive_;
  actor_location actor_;
  // release in `granted`, acquire in `adopt_owner` of the actor that comes
  // next.
  std::atomic<std::uint64_t> client_;
  // Apart from the word, which others change meanwhile.
  alignas(64) robust_lock guard_;
  memory::late_object queue_;
};

static_assert(sizeof(mutex_word) <= memory::object_head::size_inside);

} // namespace troupe::sync
