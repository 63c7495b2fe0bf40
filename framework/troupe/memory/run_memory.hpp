// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/counters.hpp>
#include <troupe/memory/head_page.hpp>
#include <troupe/memory/limits.hpp>
#include <troupe/memory/object.hpp>
#include <troupe/memory/origin.hpp>
#include <troupe/memory/process_slot.hpp>
#include <troupe/memory/row_memory.hpp>
#include <troupe/memory/trace.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/os/descriptor.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace troupe::memory {

/// A distance from the start of the run's memory, the same in every process,
/// whatever address the memory is mapped at.
using offset = std::uint64_t;

/// A part of the object area that is given out in granules of one size.
struct region {
  /// Where the words stand that say whose each granule is: 4 bytes each.
  offset words = 0;
  offset begin = 0;
  std::uint64_t granule = 0;
  std::uint32_t count = 0;
  /// One above the highest granule ever used.
  // Raised with seq_cst, read with acquire, by whoever looks for granules: it
  // only bounds the search, and a granule is taken by an exchange of its word.
  std::atomic<std::uint32_t> high{0};
};

inline constexpr std::uint32_t small_region = 0;
inline constexpr std::uint32_t large_region = 1;
inline constexpr std::size_t region_count = 2;
/// Up to so many bytes are taken in granules of 4 KiB, more in those of 2 MiB.
inline constexpr std::uint64_t most_small_extent = 1 << 20;

/// The first page of the run's memory.
///
///     0              run_header
///     4096           process table          rows * 8 KiB
///     rows_at        what each has taken    rows * 320 bytes
///     waits_at       who waits              slots * 2 KiB
///     origins_at     where objects are made 4096 * 128 bytes
///     counters_at    what each counts       rows * 1 KiB, see `counters_rows`
///     objects_at     of objects the same    1024 * 64 bytes where a report is made
///     trace_at       events                 65536 * 32 bytes
///     pages_at       pages of heads         pages * 32 bytes
///     words          whose each granule is  4 bytes each, of both regions
///     more_holders   bits of holders in further rows
///     heads          heads of objects       pages * 4 KiB
///     small region   granules of 4 KiB
///     large region   granules of 2 MiB
///     size
///
/// There are slots + 1 rows. The last is of whoever has no slot: the fork
/// server, which is alone in that. Whatever is not used yet takes no memory.
struct run_header {
  static constexpr std::uint64_t right_magic = 0x74726F7570653032; // troupe02

  std::uint64_t magic = 0;
  std::uint64_t size = 0;
  /// Random; says that a descriptor belongs to the run one thinks.
  std::array<std::uint64_t, 2> identity{};
  /// How the tables and heads of this run are laid out: see
  /// `layout_of_memory`. It stands here in every version, so that each can tell
  /// another.
  std::uint64_t layout = 0;
  // Stored (seq_cst) by the root before it starts anything, and only read then.
  std::atomic<std::uint64_t> memory_limit{0};
  std::uint32_t slots = 0;
  std::uint32_t handles = 0;
  offset rows_at = 0;
  offset waits_at = 0;
  offset origins_at = 0;
  offset counters_at = 0;
  offset objects_at = 0;
  offset trace_at = 0;
  offset pages_at = 0;
  offset more_holders = 0;
  /// Of the bits of holders outside of the heads: words for each head, and of
  /// its second side; bytes for each page of heads, and how many of them stand
  /// before those of the second sides.
  std::uint64_t more_words = 0;
  std::uint64_t more_second_words = 0;
  std::uint64_t more_bytes = 0;
  std::uint64_t more_first_bytes = 0;
  offset heads = 0;
  /// Pages of heads that there may be.
  std::uint32_t pages = 0;
  /// How long a process that is asked to end may take, in nanoseconds.
  std::int64_t grace = 0;
  /// Whether threads of the user's may be moved: `run_options::move_threads`.
  bool threads_may_move = false;
  /// One moment by both clocks: steady nanoseconds and `os::cycles`.
  std::int64_t made_at = 0;
  std::uint64_t made_at_cycles = 0;
  /// Rows of counters: those of the slots, and others where a report is made.
  std::uint32_t counters_rows = 0;
  /// Whether a report is made when the run ends. Never changes.
  std::uint32_t reports = 0;
  /// Events are written until then, in nanoseconds of the steady clock. 0:
  /// none.
  // Written from outside of the run, by who traces; ended by a relaxed exchange
  // in `trace_of` and read relaxed: a late look costs an event or writes one.
  std::atomic<std::int64_t> trace_until{0};

  /// One above the highest page of heads ever used. Page 0 never is.
  // Raised with seq_cst by whoever needs a page, read with acquire: it bounds
  // the search, and a page says itself by `head_page::word` what it is.
  alignas(cache_line) std::atomic<std::uint32_t> pages_high{1};
  std::array<region, region_count> regions{};
  /// Counted up at every confirmed death; sleep on it to wait for one.
  // release in `finish_death`, before and after the dead is cleared up; acquire
  // or seq_cst by who looks for deaths, and so finds what has ended with it.
  alignas(cache_line) os::wait_word deaths{0};
  /// How many looks for deaths were asked of all: see transport/shares.hpp.
  // seq_cst in `death_looks::ask`, which says why, and `death_looks::asked`.
  std::atomic<std::uint32_t> looks_asked{0};
  /// 0 until a signal asks the run to end. Then the signal's number, and above
  /// it, from `interrupt_told` on, that every process has been told.
  // seq_cst: exchanged in the root's signal handler, and told in
  // `root_signals::answer`. Pairs with `process_slot::listens`: see
  // `listener::token`.
  os::wait_word interrupted{0};
  static constexpr std::uint32_t interrupt_told = 256;
  /// Signals that Troupe answers in the root, and those that the root listens
  /// to or has handlers of its own for; sets of `bit_of` in
  /// process/signals.hpp.
  // `root_answers` and `root_listens`: seq_cst. `root_signals::install` and
  // `token` set bits; the root's signal handler, `pass_by` and the fork server
  // read them. Sets alone: they publish nothing.
  std::atomic<std::uint32_t> root_answers{0};
  std::atomic<std::uint32_t> root_listens{0};
  /// Id of the object where names are registered, 0 before the first.
  // acq_rel exchange in `the_table` of the names, by whoever has made it;
  // acquire there by whoever looks.
  std::atomic<std::uint64_t> registry{0};
  /// Id of the announcement of the services host, 0 before the first.
  // acq_rel exchange in sync/services.cpp by whoever has made the announcement;
  // acquire there by whoever looks.
  std::atomic<std::uint64_t> services{0};
  /// One above the highest process slot ever used: where scans may stop.
  // Raised with acq_rel in `reserve_slot`, before the slot is filled in;
  // acquire in `for_each_slot`, seq_cst in `reserved_bytes`.
  std::atomic<std::uint32_t> slots_high{0};
  /// Rows of counters beyond those of the slots that were asked for.
  // A relaxed count in `begin_counters`; read for the report, when the run is
  // over.
  std::atomic<std::uint32_t> rows_reported{0};
  /// The fork server's pid, for diagnostics and for tests that kill it.
  // seq_cst, a number alone: stored in `report_service`, read by the root.
  std::atomic<std::int32_t> fork_server{0};
  /// Which fork server serves: the root's number of it in the upper half, its
  /// pid in the lower, 0 before it serves. Of several that come of one start,
  /// because user code has forked, the first that writes its pid serves, the
  /// others end.
  // seq_cst: stored by the root, and exchanged by it and by the servers: this
  // word alone decides.
  std::atomic<std::uint64_t> serving{0};
  /// The dead child that the fork server is busy with: should the server die
  /// too, the root has to reap it.
  // seq_cst: stored by the fork server before it confirms the death, and after
  // it has reaped; taken by the root once that server is dead.
  std::atomic<std::int32_t> reaping{0};
  /// Not 0 while the fork server has confirmed deaths of which it has not told
  /// all processes: should the server die, the root tells them.
  // release in `confirm_death_untold`, before the slot says `dead`; acquire in
  // `tell_of_deaths`, which stores 0 relaxed, for it has told all by then.
  std::atomic<std::uint32_t> untold_deaths{0};
  /// How the objects of each kind are laid out: `kind_operations::layout` of
  /// the root, 0 for what it does not have.
  static constexpr std::size_t most_kinds = 32;
  std::array<std::uint32_t, most_kinds> kinds{};
  /// Events that were written.
  // A relaxed count in `trace_of`; `trace_event::number` publishes the event.
  alignas(cache_line) std::atomic<std::uint64_t> traced{0};
};

static_assert(sizeof(run_header) <= 4096);
static_assert(offsetof(run_header, layout) == 32);

/// The calling process's view of the memory of its run.
///
/// There is one per process; `troupe::program` makes it. All functions may be
/// called from any thread.
class run_memory {
public:
  /// Returns the view. Throws `invalid_state` where there is none yet.
  [[nodiscard]] static run_memory& current() {
    if (current_ == nullptr)
      throw_none();
    return *current_;
  }

  [[nodiscard]] static bool exists() noexcept {
    return current_ != nullptr;
  }

  /// Makes the memory of a new run and maps it; its root gets slot 0.
  /// `reports`: there is to be a report when it ends. Throws `os_failure`,
  /// `invalid_argument`, `invalid_state` (there is one).
  static run_memory& create(const limits& wanted, bool reports = false);

  /// Maps the memory behind `file`. Throws `malformed_bytes` if that is not
  /// the memory of a run, `os_failure`.
  static run_memory& attach(os::descriptor file);

  [[nodiscard]] run_header& header() noexcept {
    return *reinterpret_cast<run_header*>(base_);
  }

  [[nodiscard]] int file() const noexcept {
    return file_.get();
  }

  [[nodiscard]] std::byte* at(offset where) noexcept {
    return base_ + where;
  }

  [[nodiscard]] offset offset_of(const void* address) const noexcept {
    return static_cast<offset>(static_cast<const std::byte*>(address) - base_);
  }

  /// Returns the slot at `index`, at most `header().slots`.
  [[nodiscard]] process_slot& slot(std::uint32_t index) noexcept {
    return reinterpret_cast<process_slot*>(base_ + 4096)[index];
  }

  /// Returns the slot of `id`, or nullptr if that process is gone and its
  /// place free or used by another.
  [[nodiscard]] process_slot* find(slot_id id) noexcept;

  /// Which process of the run the calling one is. One that only attached is
  /// nobody: it has the row behind the last slot.
  [[nodiscard]] slot_id self() const noexcept {
    return self_;
  }

  [[nodiscard]] process_slot& own_slot() noexcept {
    return slot(self_.index);
  }

  /// Says which process this one is; before that it may hold nothing. The
  /// fork server calls it in each new host.
  void become(slot_id self) noexcept;

  /// Says that this process, a fork of the root, is a fork server: nobody.
  void become_nobody() noexcept {
    self_ = {header().slots, 0};
  }

  [[nodiscard]] row_memory& row(std::uint32_t index) noexcept {
    return rows_[index];
  }

  /// Who of the process in slot `index` waits.
  [[nodiscard]] wait_rows& waits_of(std::uint32_t index) noexcept {
    return reinterpret_cast<wait_rows*>(base_ + header().waits_at)[index];
  }

  /// See `process_counters`. @pre below `header().counters_rows`
  [[nodiscard]] process_counters& counters_at(std::uint32_t index) noexcept {
    return reinterpret_cast<process_counters*>(base_
                                               + header().counters_at)[index];
  }

  /// The counters of the calling process; nullptr where it has none.
  [[nodiscard]] process_counters* own_counters() noexcept {
    return counters_;
  }

  /// For `begin_counters`.
  void set_own_counters(process_counters* own) noexcept {
    counters_ = own;
  }

  /// @pre the run makes a report; below `object_counters::count`
  [[nodiscard]] object_counters&
  object_counters_at(std::uint32_t index) noexcept {
    return reinterpret_cast<object_counters*>(base_
                                              + header().objects_at)[index];
  }

  /// @pre below `trace_ring::count`
  [[nodiscard]] trace_event& event_at(std::uint64_t index) noexcept {
    return reinterpret_cast<trace_event*>(base_ + header().trace_at)[index];
  }

  /// Whether the run makes a report when it ends.
  [[nodiscard]] static bool reports() noexcept {
    return reports_;
  }

  /// The number of the head whose object has `place` in its payload, 0 if none
  /// has.
  [[nodiscard]] std::uint32_t head_of_place(offset place) noexcept;

  /// See `origin`. @pre below `origin::count`
  [[nodiscard]] origin& origin_at(std::uint32_t index) noexcept {
    return *reinterpret_cast<origin*>(base_ + header().origins_at
                                      + index * sizeof(origin));
  }

  [[nodiscard]] head_page& page(std::uint32_t index) noexcept {
    return pages_[index];
  }

  /// Returns the head with that number, which must be below that of all.
  [[nodiscard]] object_head* head_at(std::uint32_t index) noexcept {
    return heads_ + index;
  }

  [[nodiscard]] std::uint32_t index_of(const object_head* head) const noexcept {
    return static_cast<std::uint32_t>(head - heads_);
  }

  /// Returns the head that `id` names. The object need not be there any more.
  [[nodiscard]] object_head* head_of(object_id id) noexcept {
    return heads_ + head_number(id);
  }

  /// The same, and which of its sides.
  [[nodiscard]] object_side side_of(object_id id) noexcept {
    return {head_of(id), is_second_side(id)};
  }

  /// Returns the payload of an object that the caller knows to be alive, or has
  /// the life of.
  [[nodiscard]] std::byte* payload_of(const object_head* head) noexcept {
    return base_ + head->payload.load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::byte* payload_of(object_id id) noexcept {
    return payload_of(head_of(id));
  }

  /// Bytes that living objects reserve: what counts against `limits::memory`.
  [[nodiscard]] std::uint64_t reserved_bytes() noexcept;

  /// Returns the head of the object that `id` names, or nullptr if no living
  /// object of that kind has that name. Any number is safe to ask about. What
  /// is returned may end at once: only a `reference` keeps it.
  [[nodiscard]] object_head* find_object(object_id id,
                                         object_kind kind) noexcept;

  /// Bytes of memory that the run really uses now.
  [[nodiscard]] std::uint64_t used_bytes() const;

  run_memory(const run_memory&) = delete;
  run_memory& operator=(const run_memory&) = delete;
  ~run_memory();

private:
  struct mapping;

  [[noreturn]] static void throw_none();

  explicit run_memory(os::descriptor file, std::uint64_t size);

  /// Notes where the tables are, once the header says so.
  void locate_tables() noexcept;

  /// Never destroyed: handles in static variables may outlive every order of
  /// destruction.
  static inline constinit run_memory* current_ = nullptr;
  static inline constinit bool reports_ = false;

  os::descriptor file_;
  std::unique_ptr<mapping> mapping_;
  std::byte* base_ = nullptr;
  row_memory* rows_ = nullptr;
  head_page* pages_ = nullptr;
  object_head* heads_ = nullptr;
  process_counters* counters_ = nullptr;
  slot_id self_;
};

/// Whether somebody traces the run.
[[nodiscard]] inline bool is_traced() noexcept {
  return run_memory::current().header().trace_until.load(
           std::memory_order_relaxed)
         != 0;
}

} // namespace troupe::memory
