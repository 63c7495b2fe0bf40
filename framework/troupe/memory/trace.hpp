// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace troupe::memory {

/// What has happened, while somebody traces the run.
enum class trace_kind : std::uint32_t {
  none = 0,
  /// A thread is about to sleep: `detail` is the `wait_kind`, `value` a place
  /// in what it waits for, or 0.
  wait_begins,
  wait_ends,
  /// A worker begins a task: `value` is the number of the text that names it.
  task_begins,
  task_ends,
  /// A thread enters the handler of an actor: `value` is the actor's number.
  actor_begins,
  actor_ends,
  process_begins,
  process_ends,
  /// Before a process begins: `value` is six characters of its name, `detail`
  /// which six. It may have ended before anybody looks at it.
  process_name,
  /// A thread gives tasks to a pool, and has given them: `value` is where they
  /// go on, see `link_of_chunk`.
  submit_begins,
  submit_ends,
  /// Before a worker begins the first of them: `value` as of `submit_begins`.
  chunk_taken,
  /// A thread asks for a process, and has asked: `value` is where that goes on,
  /// see `link_of_process`. A `process_begins` has the same.
  start_begins,
  start_ends,
};

inline constexpr std::uint32_t trace_kinds = 15;

/// Something that has happened.
///
///     0    number   of the event, counted from 1; another one: being written
///     8    when     nanoseconds of the steady clock
///     16   slot << 32 | thread
///     24   what     kind << 56 | detail << 48 | value
///     32
struct trace_event {
  // `number`: stored by `trace_of` with release, first 0 and then, behind the
  // others, what it is. `when`, `who` and `what` are relaxed. Whoever reads
  // from outside looks at `number` before and after.
  std::atomic<std::uint64_t> number;
  std::atomic<std::int64_t> when;
  std::atomic<std::uint64_t> who;
  std::atomic<std::uint64_t> what;

  static constexpr unsigned kind_shift = 56;
  static constexpr unsigned detail_shift = 48;
  static constexpr std::uint64_t most_value = (1ULL << detail_shift) - 1;
  static constexpr std::size_t characters = detail_shift / 8;
};

static_assert(sizeof(trace_event) == 32);

/// The events of a run: a ring that all its processes write while the header's
/// `trace_until` is in the future. Whoever traces stores that, again and again,
/// and nothing else; so if it is killed, the trace ends by itself.
///
/// # What a crash leaves
/// An event that has a place and no number: whoever reads passes over it.
struct trace_ring {
  static constexpr std::uint32_t count = 1U << 16;
};

/// What both ends of a chunk of tasks know of it, the pool and the worker. Two
/// chunks have the same only if 2^32 of the pool, or 2^16 objects, lie between.
[[nodiscard]] constexpr std::uint64_t
link_of_chunk(std::uint64_t results_of_pool, std::uint32_t chunk) noexcept {
  return ((results_of_pool & 0xFFFF) << 32) | chunk;
}

/// What both ends of a start know of the process.
[[nodiscard]] constexpr std::uint64_t
link_of_process(std::uint32_t slot, std::uint32_t generation) noexcept {
  return (std::uint64_t{slot & 0xFFFF} << 32) | generation;
}

/// Writes an event in the name of the calling thread. To be called where
/// `is_traced()`.
void trace(trace_kind kind, std::uint32_t detail, std::uint64_t value) noexcept;

/// The same in the name of another process.
void trace_of(std::uint32_t slot, std::int32_t thread, trace_kind kind,
              std::uint32_t detail, std::uint64_t value) noexcept;

} // namespace troupe::memory
