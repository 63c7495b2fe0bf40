// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/memory/slot_text.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/wait_word.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::memory {

/// Names a process for the life of the run: the index of its slot in the
/// process table, and the generation of the slot. A slot is used again after
/// its process is joined, so only both together name one process.
struct slot_id {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;

  [[nodiscard]] constexpr std::uint64_t packed() const noexcept {
    return (std::uint64_t{generation} << 32) | index;
  }

  [[nodiscard]] static constexpr slot_id
  unpacked(std::uint64_t value) noexcept {
    return {static_cast<std::uint32_t>(value),
            static_cast<std::uint32_t>(value >> 32)};
  }

  friend bool operator==(const slot_id&, const slot_id&) noexcept = default;
};

/// The life of a slot. It goes down the list and from `dead` back to `free`.
enum class slot_state : std::uint32_t {
  free = 0,
  /// A parent fills it in. Given back if that parent dies.
  reserved,
  /// Waits for the fork server to take it.
  requested,
  /// The fork server is making the process.
  starting,
  /// The process has claimed the slot and runs.
  running,
  /// Death is confirmed; what the process held is being given back.
  dying,
  /// The status stands; waits to be joined.
  dead,
};

/// How a process ended.
enum class ending : std::uint32_t { none = 0, exited, signaled, threw, lost };

/// One process of the run, in the process table.
///
///     0      state | generation | claim | wake_word            (words to sleep on)
///     128    who: pid, start time, parent, flags, name; inner exceptions
///     1024   how it ended: kind, code, exception type and text
///     2048   what it runs: entry, arguments                (written by parent)
///     4096   last output on standard error (a ring of 4 KiB)
///     8192
///
/// Written by the parent until `requested`, by the process itself while
/// `running`, by whoever confirms its death from `dying` on.
struct process_slot {
  static constexpr std::size_t inline_arguments = 1792;
  static constexpr std::size_t tail_size = 4096;

  // `state` publishes the rest: changed with release or acq_rel in
  // process/table.cpp, read with acquire in `current_state`. seq_cst on the
  // ways to `running` and `dead`, where `claim` and `finish_death` say why.
  //
  // relaxed or seq_cst, but ordered by `state` alone: `pid`, `start_time`,
  // `parent`, `daemon`, `method`, `root_decides`, `requested`, `entry_module`,
  // `entry_offset`, `arguments` and `result`. `state` is changed after that; of
  // `result`, by whoever confirms the end. `parent` is stored once more,
  // seq_cst, where a process is given to the root.
  //
  // Words of their own:
  // - `generation`: acq_rel in `reserve_slot`, acquire in `run_memory::find`.
  // - `claim`: acq_rel in `claim_for`, acquire in `claimant`.
  // - `wake_word`: seq_cst in `notify`, `wait_until_notified` and
  //   `sleep_until_notified`. Either the sleeper finds the work, or who made it
  //   finds the sleeper's bit. `notify_if_asleep` looks relaxed, behind a fence.
  //   `woken_from` is relaxed.
  // - `share_table`, `transport_root` and `counters`: release by the process
  //   once what they name is whole, acquire by whoever follows them.
  // - `shares_ended`: release by whoever has ended a share, acquire in
  //   `take_ended`.
  // - `looks_done`: release in `death_looks::done`, acquire in `done_by_all`.
  // - `waits_for`: seq_cst. Of those who close a circle the last sees the
  //   others.
  // - `children_started`: seq_cst in `request_process` and `end_children`. One
  //   sees the count, or the other that this process ends.
  // - `detached`: seq_cst in `detach`; pairs with the way to `dead`.
  // - `awaited`: acq_rel in `leave_to_future` and `tell_unread`.
  // - `listens`: seq_cst in `token`; pairs with `run_header::interrupted`.
  // - `asked`: seq_cst, before the signal is sent. `told`: seq_cst; the root's
  //   alone.
  // - `ended_by`: release in `note_exception`, behind `code` and the texts;
  //   acquire in `confirm_end`.
  // - `tail_written`: release in error_tail.cpp, behind the bytes of `tail`,
  //   which are relaxed; acquire in `tail_of`.

  /// A `slot_state` in the low byte; while `reserved`, the row of the process
  /// that fills or cleans the slot above it, so that the slot is given back if
  /// that process dies. Sleeping on it is joining.
  os::wait_word state{0};
  std::atomic<std::uint32_t> generation{0};
  /// The pid that won the slot, 0 before, and above it the generation that it
  /// was won for. Whoever changes the pid from 0 runs the function; a second
  /// child made for the same request loses and ends, however late it comes.
  std::atomic<std::uint64_t> claim{0};
  /// Counted up when something changed that this process may wait for. Bit 0: a
  /// thread sleeps on it; the other bits count. See `notify`.
  os::wait_word wake_word{0};
  /// The processor on which whoever woke it last ran; a hint.
  std::atomic<std::uint32_t> woken_from{0};
  // Of its actors, see transport/shares.hpp.
  /// Names the table of their shares; 0 while there is none.
  std::atomic<std::uint64_t> share_table{0};
  /// Counts the shares that end; never set back, also not for the next process.
  std::atomic<std::uint64_t> shares_ended{0};
  /// The last look for deaths that it has done.
  std::atomic<std::uint32_t> looks_done{0};
  std::atomic<std::uint64_t> transport_root{0};
  /// Of a state: the packed slot_id of the state that the call which it
  /// executes waits for, or 0. See state/wait_cycle.hpp.
  std::atomic<std::uint64_t> waits_for{0};

  alignas(cache_line) std::atomic<std::int32_t> pid{0};
  std::atomic<std::uint32_t> daemon{0};
  std::atomic<std::uint64_t> start_time{0};
  /// The packed slot_id of the parent; the root's own for the root.
  std::atomic<std::uint64_t> parent{0};
  /// How many children this process has started: the next one's number.
  std::atomic<std::uint32_t> children_started{0};
  std::atomic<std::uint32_t> method{0};
  /// No handle will join it: the slot is given back at its death.
  std::atomic<std::uint32_t> detached{0};
  /// Whether a future is to tell what the function throws. The process leaves
  /// it to that, or finds that there is none and writes it to standard error;
  /// whoever gives the future up finds which.
  enum : std::uint32_t { not_awaited, is_awaited, left_to_future };
  std::atomic<std::uint32_t> awaited{not_awaited};
  // Sets of signals, see `bit_of` in process/signals.hpp.
  /// Signals from outside of the run do not end this process: the root decides.
  std::atomic<std::uint32_t> root_decides{0};
  /// It has asked for a token of these.
  std::atomic<std::uint32_t> listens{0};
  /// A process of the run has sent it these.
  std::atomic<std::uint32_t> asked{0};
  /// It has had these when the run was asked to end: the root need not send
  /// them.
  std::atomic<std::uint32_t> told{0};
  /// Row of its counters, see `process_counters`.
  std::atomic<std::uint32_t> counters{0};
  /// When it was asked for, in nanoseconds of the steady clock.
  std::atomic<std::int64_t> requested{0};
  slot_text<256> name;
  /// What was inside of the exception that ended it: see calls::pack.
  slot_text<560> inner_exceptions;

  alignas(1024) std::atomic<std::uint32_t> ended_by{0};
  /// Exit code, or signal number.
  std::atomic<std::int32_t> code{0};
  slot_text<248> exception_type;
  slot_text<760> exception_text;

  alignas(1024) std::atomic<std::uint64_t> entry_module{0};
  std::atomic<std::uint64_t> entry_offset{0};
  /// Id of the parcel that holds the arguments, 0 when they are inline.
  std::atomic<std::uint64_t> arguments{0};
  /// Id of the parcel that holds the result, 0 before there is one.
  std::atomic<std::uint64_t> result{0};
  std::uint32_t inline_size = 0;
  alignas(64) std::array<std::byte, inline_arguments> inline_bytes{};
  /// The file name of the library that `entry_module` is, if it is one.
  slot_text<128> entry_library;

  /// Count of bytes ever written to the tail; the ring is read modulo its size.
  alignas(1024) std::atomic<std::uint64_t> tail_written{0};
  std::array<std::atomic<char>, tail_size - 8> tail{};

  [[nodiscard]] slot_state current_state() const noexcept {
    // acquire: pairs with the release that published what the state implies.
    return static_cast<slot_state>(state.load(std::memory_order_acquire)
                                   & 0xFF);
  }

  /// The pid that has claimed this slot, 0 if none yet.
  [[nodiscard]] std::int32_t claimant() const noexcept {
    return static_cast<std::int32_t>(
      static_cast<std::uint32_t>(claim.load(std::memory_order_acquire)));
  }

  /// Claims the slot for `pid` if it is of that generation and nobody has.
  [[nodiscard]] bool claim_for(std::int32_t claiming,
                               std::uint32_t of_generation) noexcept {
    auto nobody = std::uint64_t{of_generation} << 32;
    return claim.compare_exchange_strong(
      nobody, nobody | static_cast<std::uint32_t>(claiming),
      std::memory_order_acq_rel);
  }

  [[nodiscard]] os::process_id identity() const noexcept {
    return {pid.load(std::memory_order_relaxed),
            start_time.load(std::memory_order_relaxed)};
  }
};

/// Returns "NAME (pid N)".
[[nodiscard]] std::string description_of(std::string_view name,
                                         std::int32_t pid);

/// Notifies a process. Costs a system call only if somebody sleeps.
///
/// # What a crash leaves
/// Killed between taking the sleepers' bit and waking them, it leaves sleepers
/// that no further `notify` would wake; `notify_of_death` does.
void notify(process_slot& slot) noexcept;

/// Wakes whoever sleeps, whatever the wake word shows. For whoever has
/// confirmed a death: the dead process may have been about to wake them.
void notify_of_death(process_slot& slot) noexcept;

/// Sleeps on the wake word of the calling process until it is notified, `limit`
/// passes or a signal comes. `seen` is what the wake word showed before the
/// caller looked for work; if that was counted up since, returns at once.
/// False: the limit passed.
bool wait_until_notified(process_slot& slot, std::uint32_t seen,
                         deadline limit) noexcept;

static_assert(sizeof(process_slot) == 8192);
static_assert(offsetof(process_slot, ended_by) == 1024);
static_assert(offsetof(process_slot, entry_module) == 2048);
static_assert(offsetof(process_slot, tail_written) == 4096);

} // namespace troupe::memory
