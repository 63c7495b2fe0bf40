// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/mailbox/segment.hpp>
#include <troupe/mailbox/waiting_room.hpp>
#include <troupe/mailbox/watch_list.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/os/robust_mutex.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>

namespace troupe::mailbox {

/// What a mailbox is made with. Zero means without limit.
struct message_queue_options {
  /// Identifies the type of the messages, so that a handle of another type is
  /// refused.
  std::uint64_t fingerprint = 0;
  /// Most messages at a time.
  std::uint64_t messages = 0;
  /// Most bytes at a time: a put waits while more are unread, or four times
  /// what it puts if that is more, but never more than 16 times this.
  std::uint64_t window = 0;
  /// Whether to note who took how many, for `finish` and `wait_finished`.
  bool ledger = false;
};

enum class [[nodiscard]] put_outcome : std::uint8_t {
  done,
  /// No room until the limit.
  full,
  /// Somebody closed the mailbox.
  closed,
  /// Nobody can read any more.
  no_reader,
};

enum class [[nodiscard]] take_outcome : std::uint8_t {
  done,
  /// Nothing came until the limit.
  empty,
  /// Closed and drained.
  ended,
};

/// What a visitor of messages says about one.
enum class visit_result : std::uint8_t { taken, leave };

/// A mailbox with many writers and many readers, in the run's memory.
///
///     0      options                                   never changes
///     128    writers' side: lock, two states, notes    writers, under the lock
///     384    put word                                  written at each put
///     512    readers' side: lock, two states, notes    readers, under the lock
///     768    taken word, bytes taken                   written at each take
///     896    arrivals, watchers, no_readers            read at each put
///     1024   departures                                read at each take
///     1152   tasks finished, and who waits for that
///     1280   watchers' bits                            slots / 8 bytes
///            ledger                                    of 64 slots, 24 bytes each
///
/// The ledger of further slots is an object of its own, made for the first
/// process in one of them that takes.
///
/// Messages lie in a chain of `segment`s, which grows when the last one is full
/// and from which what is drained goes back; one stays. The mailbox keeps each
/// alive, and the object that a message lies in, or that has its handles.
///
/// # Order
/// One order for all: that of the put words. So messages of one writer come in
/// its order, and a batch is not interrupted.
///
/// # What a crash leaves
/// Each side has two states and a word whose lowest bit says which one counts;
/// the word's store is the whole commit. A process killed before it has done
/// nothing, after it everything; the next owner of the lock finds a consistent
/// state, and in the notes which segment or object the dead one was about to
/// hand over. docs/design/mailbox.md goes through every point.
class message_queue {
public:
  /// See `memory::layout_of`.
  [[nodiscard]] static constexpr std::uint32_t layout() noexcept {
    return memory::layout_of(
      {sizeof(message_queue), offsetof(message_queue, options_),
       offsetof(message_queue, put_), offsetof(message_queue, taken_),
       offsetof(message_queue, arrivals_), offsetof(message_queue, departures_),
       offsetof(message_queue, finishing_), sizeof(message_queue_options),
       offsetof(arrival, found_empty), offsetof(take_commit, noted)});
  }

  [[nodiscard]] static std::uint64_t
  size_for(const message_queue_options& options);

  /// Creates a mailbox. Throws `limit_reached`, `os_failure`.
  [[nodiscard]] static memory::reference
  create(const message_queue_options& options);

  [[nodiscard]] const message_queue_options& options() const noexcept {
    return options_;
  }

  /// Puts messages, in order, until all are in or `limit` has passed. `done`
  /// says how many are. Larger ones than `segment::largest_record` are copied
  /// into an object of their own before; for the handles of a message an object
  /// is made that keeps theirs alive. The calling process holds them until
  /// then. Throws `limit_reached` (memory; more than 65535 handles in one
  /// message), `would_deadlock`; `done` counts in either case.
  /// @blocks on readers while full; on the one writer that holds the lock
  put_outcome put(std::span<const draft> messages, std::size_t& done,
                  deadline limit);

  /// The same for one message.
  put_outcome put(const draft& content, deadline limit);

  /// Shows up to `most` messages to `visit`, in order, each until it says
  /// `leave`, and removes those that it has taken. Waits only for the first.
  /// `visit` runs under the readers' lock and must not take from this mailbox;
  /// the objects of the message's handles live as long as it runs. If it
  /// throws, that message stays. A message with handles, or that lies apart, is
  /// the last of a call. Throws what `visit` throws, `malformed_bytes` (the
  /// mailbox's memory was overwritten), `would_deadlock`; for a large message
  /// `limit_reached` (this process can hold no more objects) and `stale_handle`
  /// (it is gone).
  /// @blocks on writers while empty; on the one reader that holds the lock
  template <class Visit>
  take_outcome take(Visit&& visit, std::size_t most, deadline limit) {
    return take_with(
      [](void* context, const message& shown) {
        return (*static_cast<std::remove_reference_t<Visit>*>(context))(shown);
      },
      const_cast<std::remove_cvref_t<Visit>*>(std::addressof(visit)), most,
      limit);
  }

  /// Waits until there is a message, or the end. Returns false at the limit.
  bool wait_readable(deadline limit);

  /// Waits until there is room for `bytes` more, or none is needed any more.
  bool wait_writable(std::uint64_t bytes, deadline limit);

  /// Returns how many messages are in: exact when nobody is busy with it.
  [[nodiscard]] std::uint64_t size() const noexcept;

  /// Nothing to take; also true at the end.
  [[nodiscard]] bool empty() const noexcept {
    return size() == 0;
  }

  /// How many messages were put and taken so far.
  [[nodiscard]] std::uint64_t put_so_far() const noexcept {
    return messages_in(put_.word.load(std::memory_order_seq_cst));
  }
  [[nodiscard]] std::uint64_t taken_so_far() const noexcept {
    return messages_in(taken_.word.load(std::memory_order_seq_cst));
  }

  /// When it was empty, as far as readers have seen, in nanoseconds of the
  /// steady clock; 0 if none has found it so. Later than that nobody has
  /// looked, or there was something each time.
  [[nodiscard]] std::int64_t last_found_empty() const noexcept {
    return arrivals_.found_empty.load(std::memory_order_relaxed);
  }

  /// When something was taken, in nanoseconds of the steady clock; 0 if nothing
  /// was. What was taken last was taken then, or later: a take without a wait,
  /// of a small message without handles, mostly notes nothing.
  [[nodiscard]] std::int64_t taken_since() const noexcept {
    return taken_.noted.load(std::memory_order_relaxed);
  }

  /// Whether a `put` of one message would wait.
  [[nodiscard]] bool full() const noexcept;

  /// Whether a take would not wait: there is a message, or the end.
  [[nodiscard]] bool readable() const noexcept;

  /// Refuses messages from now on; those in it can be taken.
  /// @blocks on the one writer that holds the lock
  void close();

  [[nodiscard]] bool closed() const noexcept {
    return (put_.word.load(std::memory_order_seq_cst) & closed_bit) != 0;
  }

  [[nodiscard]] bool has_readers() const noexcept {
    return arrivals_.no_readers.load(std::memory_order_seq_cst) == 0;
  }

  /// The last one who could write is gone. Only for whoever knows that; takes
  /// no lock.
  void writers_gone() noexcept;

  /// The last one who could read is gone.
  void readers_gone() noexcept;

  /// Says that the calling process has dealt with one message that it took.
  /// Returns false if it, and all others, took no more than are finished.
  /// Throws `limit_reached`, `would_deadlock` where the ledger needs room.
  [[nodiscard]] bool finish();

  /// How a wait for the end of all tasks came out.
  enum class [[nodiscard]] finish_outcome : std::uint8_t {
    all_finished,
    /// Somebody who took messages and did not finish them has died or has
    /// dropped its handle.
    abandoned,
    timed_out,
  };

  /// Waits until as many messages are finished as were put. `self` is the
  /// object of this mailbox. `lost` counts what was abandoned.
  /// Throws `would_deadlock`.
  /// @blocks on whoever has messages to finish; on the one reader that holds
  /// the
  ///         lock
  finish_outcome wait_finished(const memory::reference& self, deadline limit,
                               std::uint64_t& lost);

  /// Messages put and not finished.
  [[nodiscard]] std::uint64_t unfinished() const noexcept;

  void add_watcher(std::uint32_t slot) noexcept;
  void remove_watcher(std::uint32_t slot) noexcept;

  /// For whoever confirmed the death of a process that may have used this.
  void user_died(std::uint32_t slot) noexcept;

  /// Gives back what the mailbox owns. For its last holder.
  void dispose() noexcept;

private:
  using visit_function = visit_result (*)(void*, const message&);

  static std::uint64_t messages_in(std::uint64_t word) noexcept {
    return word >> count_shift;
  }

  static constexpr std::uint64_t which_bit = 1;
  static constexpr std::uint64_t closed_bit = 2;
  static constexpr unsigned count_shift = 2;

  /// Most bytes of a message that `put_at_hand` looks at.
  static constexpr std::size_t at_hand = 1024;

  struct put_state {
    memory::object_id segment;
    std::uint64_t position;
    std::uint64_t bytes;
    /// Last known of the readers; never too high, but for the bytes, which are
    /// as good as `take_commit::bytes`.
    std::uint64_t consumed_seen;
    std::uint64_t taken_seen;
    std::uint64_t taken_bytes_seen;
  };

  struct take_state {
    memory::object_id segment;
    std::uint64_t position;
    std::uint64_t bytes;
    /// Last known of the writers; never too high.
    std::uint64_t put_seen;
    /// Who committed this state, and how many it has taken in all.
    std::uint64_t taker;
    std::uint64_t taker_total;
  };

  /// What stands in a segment for a message that lies apart.
  struct apart_body {
    memory::object_id where;
    std::uint64_t size;
  };

  /// An object that is being handed over, so that the next owner of the lock
  /// can tell whether it is kept alive for somebody.
  struct note {
    // `where` and `at` are seq_cst, which is more than is needed: the lock of
    // the side orders them. Each store stands before the step that it is about,
    // for whoever has the lock after a death: see `recover_put` and
    // `recover_take`.
    std::atomic<memory::object_id> where;
    /// Count of messages before the commit that hands it over.
    std::atomic<std::uint64_t> at;
  };

  struct alignas(cache_line) put_side {
    os::robust_mutex lock;
    std::array<put_state, 2> states;
    /// A new segment; the object of a message.
    note segment_note;
    note message_note;
    // seq_cst, under the lock. A reader looks at it only where it has found a
    // message, by the acquire of the put word; at the end `dispose` is alone.
    std::atomic<memory::object_id> first;
  };

  struct alignas(cache_line) put_commit {
    /// count << 2 | closed | which state
    // release in `put_transaction::commit` and `put_at_hand`, acquire in
    // `take_at_hand`: the messages stand before it. seq_cst in `close` and in
    // what decides whether to sleep (`readable`, `has_room`): see
    // `waiting_room`.
    std::atomic<std::uint64_t> word;
    /// May run ahead by what a killed writer was about to commit.
    // relaxed: `word`, which comes next, publishes it. seq_cst in
    // `unread_bytes`, by which who waits for room decides.
    std::atomic<std::uint64_t> bytes;
  };

  struct alignas(cache_line) take_side {
    os::robust_mutex lock;
    std::array<take_state, 2> states;
    /// A segment that was read to its end, until the mailbox has given it up.
    note segment_note;
    note message_note;
    /// The ledger of the slots from `ledger_inside` on, 0 before it is needed;
    /// and the one that is about to become that.
    // `more_ledger`: seq_cst in `make_entry`, when its ledger is whole; acquire
    // in `has_entry`. `ledger_note`: seq_cst under the lock, as those of
    // `note`.
    std::atomic<memory::object_id> more_ledger;
    std::atomic<memory::object_id> ledger_note;
  };

  struct alignas(cache_line) take_commit {
    /// count << 2 | which state
    // release in `take_transaction::commit` and `take_at_hand`, acquire in
    // `put_transaction::taken`: what was read is read before its room is
    // written again. seq_cst in what decides whether to sleep.
    std::atomic<std::uint64_t> word;
    /// May run ahead by what a killed reader was about to take; mended at the
    /// next take.
    // relaxed before `word`, release where it is mended in `recover_take`;
    // acquire in `lets_in`, seq_cst in `unread_bytes`.
    std::atomic<std::uint64_t> bytes;
    /// When a reader has taken something, in nanoseconds of the coarse clock;
    /// written at some takes only, see `taken_since`.
    // relaxed: for whoever looks at the run; nothing hangs on it.
    std::atomic<std::int64_t> noted;
  };

  struct alignas(cache_line) arrival {
    waiting_room room;
    watch_list watchers;
    // seq_cst: `readers_gone` sets it and then looks who sleeps; who waits
    // counts itself and then looks at it.
    std::atomic<std::uint32_t> no_readers;
    /// When a reader that had found nothing found something, in nanoseconds of
    /// the coarse clock; 0: never.
    // relaxed: nothing hangs on it.
    std::atomic<std::int64_t> found_empty;
  };

  struct alignas(cache_line) departure {
    waiting_room room;
  };

  struct alignas(cache_line) finishing {
    // seq_cst in `finish` and `unfinished`: who waits for the last one counts
    // itself as a sleeper before it looks at this.
    std::atomic<std::uint64_t> finished;
    waiting_room room;
  };

  /// What the processes of one slot took, written under the readers' lock, and
  /// finished.
  struct ledger_entry {
    /// generation of the last one that took << 32 | how many of `taken` those
    /// before it have left unfinished
    // seq_cst in `own_entry`, before the commit; read with seq_cst in
    // `count_abandoned`.
    std::atomic<std::uint64_t> taker;
    // release once the commit is done, by the process of the slot, which reads
    // it relaxed; seq_cst in `count_abandoned`.
    std::atomic<std::uint64_t> taken;
    // seq_cst in `finish`; `count_abandoned` reads it after its look at who
    // holds the mailbox.
    std::atomic<std::uint64_t> finished;
  };

  // seq_cst: see `watch_list`.
  [[nodiscard]] std::atomic<std::uint64_t>* watcher_bits() noexcept {
    return reinterpret_cast<std::atomic<std::uint64_t>*>(this + 1);
  }

  /// Slots whose entries of the ledger stand in the mailbox itself.
  static constexpr std::uint32_t ledger_inside = 64;

  /// @pre `has_entry(slot)`
  [[nodiscard]] ledger_entry& ledger(std::uint32_t slot) noexcept {
    auto& memory = memory::run_memory::current();
    if (slot >= ledger_inside)
      return reinterpret_cast<ledger_entry*>(
        memory.payload_of(readers_.more_ledger.load()))[slot - ledger_inside];
    return reinterpret_cast<ledger_entry*>(watcher_bits()
                                           + memory.header().slots / 64)[slot];
  }

  [[nodiscard]] bool has_entry(std::uint32_t slot) const noexcept {
    // acquire: pairs with the store in `make_entry`.
    return slot < ledger_inside
           || readers_.more_ledger.load(std::memory_order_acquire) != 0;
  }

  /// Sees that the slot has an entry. Under the readers' lock. Throws
  /// `limit_reached`.
  void make_entry(std::uint32_t slot);

  /// The entry of `self`, the calling process, which becomes its last taker.
  /// Under the readers' lock.
  ledger_entry& own_entry(memory::slot_id self) noexcept;

  /// Messages that were taken by processes which are gone or have dropped their
  /// handle, and that nobody has finished.
  [[nodiscard]] std::uint64_t count_abandoned(const memory::reference& self);

  [[nodiscard]] std::uint64_t window_for(std::uint64_t bytes) const noexcept;
  [[nodiscard]] bool has_room(std::uint64_t bytes) const noexcept;
  [[nodiscard]] std::uint64_t unread_bytes() const noexcept;

  void recover_put() noexcept;
  void recover_take() noexcept;

  /// What `put_locked` and `take_locked` do, step by step.
  class put_transaction;
  class take_transaction;

  bool put_at_hand(const draft& content);
  std::size_t put_locked(std::span<const draft> messages,
                         std::span<const memory::reference> objects,
                         put_outcome& outcome);
  take_outcome take_with(visit_function visit, void* context, std::size_t most,
                         deadline limit);
  bool take_at_hand(visit_function visit, void* context);
  std::optional<take_outcome> take_locked(visit_function visit, void* context,
                                          std::size_t most,
                                          memory::reference& retired);
  void announce_put(std::size_t count) noexcept;
  void announce_take(std::size_t count, std::uint64_t each) noexcept;
  void wake_everybody() noexcept;

  alignas(cache_line) message_queue_options options_;
  put_side writers_;
  put_commit put_;
  take_side readers_;
  take_commit taken_;
  arrival arrivals_;
  departure departures_;
  finishing finishing_;
};

} // namespace troupe::mailbox
