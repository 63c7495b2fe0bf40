// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/memory/object.hpp>
#include <troupe/memory/slot_text.hpp>
#include <troupe/memory/wait_row.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::memory {

struct process_slot;
struct slot_id;

/// A worker of a pool, as it shows itself. Moments and times are in
/// `os::cycles`; they are taken where the worker asks that clock anyway: when
/// it takes a chunk, when it reports results, and now and then between.
///
///     0    pool        id of the mailbox of the pool's results; 0: no worker
///     8    index       which of the pool's workers; function: number of the text
///                      that names what it runs, 0 while it runs nothing
///     16   since       since when it runs that, or waits for a task
///     24   tasks       reported
///     32   busy, idle  up to `since`
///     48
struct worker_counters {
  // The worker's one thread writes them: `pool` with release, behind `index`;
  // `function`, `since`, `tasks`, `busy` and `idle` relaxed, for whoever looks
  // wants an idea of them, and the report is made when the worker has ended.
  std::atomic<std::uint64_t> pool;
  std::atomic<std::uint32_t> index;
  std::atomic<std::uint32_t> function;
  std::atomic<std::uint64_t> since;
  std::atomic<std::uint64_t> tasks;
  std::atomic<std::uint64_t> busy;
  std::atomic<std::uint64_t> idle;
};

/// One of the slowest tasks of a worker; times in `os::cycles`.
struct task_counter {
  // relaxed: `lasted`, `began` and `function` are written by the worker's one
  // thread, and read for the report when it has ended. Nobody reads `unused`.
  std::atomic<std::uint64_t> lasted;
  std::atomic<std::uint64_t> began;
  std::atomic<std::uint32_t> function;
  std::atomic<std::uint32_t> unused;
};

/// A thread that runs actors itself.
///
///     0    actor    whose handler it is in, 0: none
///     8    since    in `os::cycles`
///     16   thread   the kernel's number
///     20   typed    lower half of the number of the actor that `type` is of
///     24   type     of an actor that was in its handler for long
///     64
struct actor_thread_counters {
  // relaxed: `actor`, `since` and `thread`, by the thread itself. `typed`: by
  // whoever takes over from it, in `hub::show_type_of`: 0, and then release,
  // behind `type`.
  std::atomic<std::uint64_t> actor;
  std::atomic<std::uint64_t> since;
  std::atomic<std::int32_t> thread;
  std::atomic<std::uint32_t> typed;
  slot_text<40> type;
};

/// The actor system of a process. `running`, `queued` and `handled` are what
/// its hub has noted at `noted`, before it slept last.
struct actor_counters {
  static constexpr std::size_t most_threads = 6;

  // relaxed: `noted`, `running`, `queued` and `handled` are written by the
  // thread that leads the hub; whoever looks wants an idea of them.
  std::atomic<std::int64_t> noted;
  std::atomic<std::int64_t> running;
  std::atomic<std::int64_t> queued;
  std::atomic<std::int64_t> handled;
  std::array<std::uint64_t, 4> unused;
  std::array<actor_thread_counters, most_threads> threads;
};

/// What a process counts of itself, for whoever looks at the run, and for the
/// report at its end. Moments are nanoseconds of the steady clock.
///
///     0     owner      packed slot_id; 0: nobody
///     8     pid
///     16    requested, began, ended
///     40    waited     nanoseconds in waits of each kind
///     192   name
///     256   worker     see `worker_counters`
///     304   slowest    tasks, where a report is made
///     448   actors     see `actor_counters`
///     896
///     1024
///
/// Written by its process, but for `ended`.
///
/// # What a crash leaves
/// What was counted until then.
struct process_counters {
  static constexpr std::size_t most_slowest = 5;

  // `owner`: release in `begin_counters`, behind `pid`, `requested` and
  // `began`, which are relaxed; acquire in `end_counters`. `waited` are relaxed
  // sums of all threads; `ended` is relaxed, by whoever confirms the death.
  // Nobody reads `unused`.
  std::atomic<std::uint64_t> owner;
  std::atomic<std::int32_t> pid;
  std::atomic<std::uint32_t> unused;
  std::atomic<std::int64_t> requested;
  std::atomic<std::int64_t> began;
  std::atomic<std::int64_t> ended;
  std::array<std::atomic<std::int64_t>, wait_kinds> waited;
  slot_text<64> name;
  worker_counters worker;
  std::array<task_counter, most_slowest> slowest;
  std::array<std::uint64_t, 3> between;
  actor_counters actors;
  std::array<std::uint64_t, 16> behind;
};

static_assert(sizeof(process_counters) == 1024);
static_assert(offsetof(process_counters, name) == 192);
static_assert(offsetof(process_counters, worker) == 256);
static_assert(offsetof(process_counters, actors) == 448);

/// What a report says of one object: how it was waited for, and how full it
/// was.
///
///     0    object    id; 0: free
///     8    kind, origin
///     16   waits     that have slept
///     24   waited    nanoseconds of all of them
///     32   longest
///     40   depth     most messages that a queue had in it
///     48
///     64
struct object_counters {
  static constexpr std::uint32_t count = 1024;

  // All relaxed: `object` is taken by an exchange, `kind` and `origin` are the
  // same whoever writes them, and `waits`, `waited`, `longest` and `depth` are
  // counts of all processes. The report reads them when those have ended.
  std::atomic<std::uint64_t> object;
  std::atomic<std::uint32_t> kind;
  std::atomic<std::uint32_t> origin;
  std::atomic<std::uint64_t> waits;
  std::atomic<std::int64_t> waited;
  std::atomic<std::int64_t> longest;
  std::atomic<std::uint64_t> depth;
  std::array<std::uint64_t, 2> unused;
};

static_assert(sizeof(object_counters) == 64);

/// A pool, as its owner shows it: the payload of an object of kind `pool`.
struct pool_counters {
  /// Id of the mailbox of its results, which its workers name too.
  std::uint64_t results;
  std::uint32_t workers;
  std::uint32_t unused;
  /// Tasks that were given to it, and those that are over.
  // `submitted`, `finished`, `waiting` and `started`: relaxed counts, which the
  // pool's owner writes for whoever looks; nothing is published through them.
  std::atomic<std::uint64_t> submitted;
  std::atomic<std::uint64_t> finished;
  /// Chunks of tasks that no worker has been given yet.
  std::atomic<std::uint64_t> waiting;
  /// Processes that were started as workers.
  std::atomic<std::uint64_t> started;

  /// See `memory::layout_of`.
  [[nodiscard]] static std::uint32_t layout() noexcept;
};

/// Rows beyond those of the slots, for the processes of a run that makes a
/// report: a slot is used again, and they are not.
inline constexpr std::uint32_t report_rows = 1024;

/// Begins the row of the calling process, which is in `slot`.
void begin_counters(process_slot& slot, slot_id self) noexcept;

/// The process in the slot has ended.
void end_counters(process_slot& slot, slot_id ended) noexcept;

/// Notes a wait that is over: of the calling process, and of the object that
/// has `place`, if a report is made.
void count_wait(wait_kind kind, std::uint64_t place,
                std::int64_t nanoseconds) noexcept;

/// Notes how many messages the queue at `place` has in it. For runs that make a
/// report.
void count_depth(const void* place, std::uint64_t messages) noexcept;

/// The number of a text, 0 if there is no room for it: see `origin`.
[[nodiscard]] std::uint32_t number_of_text(std::string_view text) noexcept;

} // namespace troupe::memory
