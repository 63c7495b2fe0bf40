// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>
#include <troupe/memory/process_slot.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/proc.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Looking at a run: what its processes do, what they wait for, who holds what.
///
/// A look reads the run's memory as a file and asks no process, so it has an
/// answer while all of them hang. It changes nothing, takes no lock and no
/// memory of the run, and needs nothing in the program.
/// docs/design/inspection.md says what it may rely on.
namespace troupe::inspection {

using time_point = std::chrono::steady_clock::time_point;

/// A worker of a pool.
struct worker_record {
  /// Id of the mailbox of the pool's results, by which `pool_record` names it.
  memory::object_id results = 0;
  /// Which of the pool's workers, from 0 on.
  std::uint32_t index = 0;
  /// What it runs; empty while it waits for a task.
  std::string function;
  /// Since when it runs that, or waits. Of several quick tasks in a row, since
  /// one of the first of them.
  time_point since;
  /// Tasks that it has reported.
  std::uint64_t tasks = 0;
  /// How long it has run tasks, and waited for them; up to now.
  std::chrono::nanoseconds busy{0};
  std::chrono::nanoseconds idle{0};
};

/// A thread that runs actors itself, and is in the handler of one.
struct handler_record {
  std::int32_t thread = 0;
  std::uint64_t actor = 0;
  /// Empty until it has been there for some milliseconds.
  std::string type;
  time_point since;
};

/// The actor system of a process.
struct actors_record {
  /// When its hub noted the numbers: before it slept last. Threads of CAF's may
  /// have changed them since.
  time_point noted;
  std::int64_t running = 0;
  std::int64_t queued = 0;
  std::int64_t handled = 0;
  /// Of its hub's threads, which run most actors.
  std::vector<handler_record> handlers;
};

/// A process of the run, or a dead one that nobody has joined.
struct process_record {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::string name;
  /// 0 while it is being made.
  std::int32_t pid = 0;
  memory::slot_state state = memory::slot_state::free;
  /// Slot of the parent; the root's own for the root. Nothing if that is gone.
  std::optional<std::uint32_t> parent;
  bool daemon = false;
  /// What /proc tells; nothing if it does not, or the process has ended.
  std::optional<os::process_fact> fact;
  std::vector<os::thread_fact> threads;
  /// When it was asked for, and when it was there.
  std::optional<time_point> requested;
  std::optional<time_point> began;
  /// How long its threads have slept in waits of each kind, those that are
  /// over.
  std::array<std::chrono::nanoseconds, memory::wait_kinds> waited{};
  std::optional<worker_record> worker;
  std::optional<actors_record> actors;

  /// "accounts (pid 4211)"
  [[nodiscard]] std::string description() const;
};

/// A thread, or an actor, that holds something.
struct holder_record {
  std::uint32_t slot = 0;
  std::int32_t thread = 0;
  bool is_actor = false;
};

struct lock_record {
  std::optional<holder_record> holder;
  time_point since;
  /// Owners so far.
  std::uint64_t fence = 0;
  bool recursive = false;
  /// An owner died with it, and no owner since has given it back.
  bool owner_died = false;
};

struct semaphore_record {
  std::int64_t value = 0;
  std::int64_t bound = 0;
};

struct event_record {
  bool set = false;
};

struct condition_record {};

struct barrier_record {
  std::uint32_t parties = 0;
  /// How many have arrived and wait.
  std::uint32_t waiting = 0;
  bool broken = false;
};

/// A queue, or one way of a pipe.
struct queue_record {
  std::uint64_t depth = 0;
  /// Most items at a time, 0: no limit.
  std::uint64_t limit = 0;
  /// Items put and not said to be done.
  std::uint64_t unfinished = 0;
  bool closed = false;
  bool has_readers = true;
  bool full = false;
  /// Items put and taken so far.
  std::uint64_t put = 0;
  std::uint64_t taken = 0;
  /// When a reader found it empty last. What is in it came later.
  std::optional<time_point> found_empty;
  /// What was taken last was taken then, or later: see
  /// `message_queue::taken_since`. Nothing if none was taken.
  std::optional<time_point> taken_since;
};

/// A pool, as its owner shows it.
struct pool_record {
  memory::object_id results = 0;
  std::uint32_t workers = 0;
  std::uint64_t submitted = 0;
  std::uint64_t finished = 0;
  /// Chunks of tasks that no worker has been given yet.
  std::uint64_t waiting = 0;
  /// Processes that were started as its workers.
  std::uint64_t started = 0;
};

/// An end of a pipe.
struct connection_record {
  memory::object_id in = 0;
  memory::object_id out = 0;
};

/// A part of a state: what its clients hold, or what its process does.
struct state_record {
  enum class part { none, object_ref, cell, control_block };

  part what = part::none;
  /// Id of the state's control block; its own if it is that.
  memory::object_id control_block = 0;
  /// Of a control block: packed slot_id of the state's process, and id of its
  /// requests.
  std::uint64_t process = 0;
  memory::object_id requests = 0;
};

/// An object of the run's memory that somebody may wait for.
struct object_record {
  memory::object_id id = 0;
  memory::object_kind kind = memory::object_kind::none;
  /// Bytes of payload.
  std::uint64_t size = 0;
  /// Where it was made, "accounts.cpp:41", before that its name if it was given
  /// one; empty if nothing is known.
  std::string origin;
  /// Slot of the process that made it.
  std::uint32_t creator = 0;
  /// Slots of the processes that hold it.
  std::vector<std::uint32_t> holders;
  /// Messages, arguments and objects that keep it alive.
  std::uint64_t shares = 0;
  /// What is in it makes no sense, or it was changing at each look.
  bool damaged = false;
  std::variant<std::monostate, lock_record, semaphore_record, event_record,
               condition_record, barrier_record, queue_record,
               connection_record, state_record, pool_record>
    content;

  [[nodiscard]] bool is_held_by(std::uint32_t slot) const noexcept;

  /// "mutex 4294967311", and where it was made: "mutex 4294967311
  /// (accounts.cpp:41)"
  [[nodiscard]] std::string description() const;
};

/// What is waited for: an object or a process.
struct wait_target {
  memory::object_id object = 0;
  /// Slot of a process, where `object` is 0.
  std::uint32_t slot = 0;
};

/// A thread that sleeps until others do something. Most say so themselves, in a
/// row; of those that sleep until another thread of their process wakes them,
/// and are in no call of Troupe's, the kernel says so. These are of kind
/// `thread`, and `since` is the moment of the look.
struct wait_record {
  std::uint32_t slot = 0;
  std::int32_t thread = 0;
  memory::wait_kind kind = memory::wait_kind::none;
  time_point since;
  /// Nothing: for ever.
  std::optional<time_point> until;
  /// Somebody outside of the run, or unknown, may end it.
  bool open = false;
  /// It has been woken and has not run yet.
  bool woken = false;
  /// Tells this wait from the next one of the thread. Of one that the kernel
  /// has told of: how often it has slept.
  std::uint32_t turn = 0;
  std::vector<wait_target> targets;
};

struct kind_total {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

/// A run at one moment. Each part was read by itself, so two of them may be of
/// moments some milliseconds apart; but each wait lasted for the whole look.
struct snapshot {
  /// Names the run on this machine.
  std::uint64_t inode = 0;
  time_point taken;
  /// SIGINT or SIGTERM has asked the run to end.
  bool interrupted = false;
  std::int32_t fork_server = 0;
  /// Bytes that living objects reserve, and how many they may.
  std::uint64_t reserved = 0;
  std::uint64_t memory_limit = 0;
  /// Bytes of memory that the run really uses.
  std::uint64_t used = 0;
  std::vector<process_record> processes;
  std::vector<wait_record> waits;
  /// Those that can be waited for, and their ends and parts.
  std::vector<object_record> objects;
  /// Of all kinds.
  std::map<memory::object_kind, kind_total> totals;
  /// Processes that have the run's memory mapped and stand in no slot: a plain
  /// fork of one that does.
  std::vector<std::int32_t> outsiders;
  /// What made no sense, one sentence each; the rest holds all the same.
  std::vector<std::string> damage;

  [[nodiscard]] const process_record* process(std::uint32_t slot) const;
  [[nodiscard]] const object_record* object(memory::object_id id) const;
};

/// A snapshot, or why there is none.
struct look_result {
  std::optional<snapshot> seen;
  std::string refusal;
};

/// Looks at the run whose memory `file` is. The descriptor needs to be open for
/// reading only, and its position is moved. Throws nothing but
/// `std::bad_alloc`: what is not a run's memory, or that of another layout, is
/// a refusal, and what makes no sense is `damage`.
[[nodiscard]] look_result look_at(const os::descriptor& file);

/// Looks at the run of the calling process. Throws `invalid_state` where there
/// is none, `os_failure`.
[[nodiscard]] snapshot here();

/// Gives a queue, a lock or one of its relatives a name, for whoever looks at
/// the run: "mutex 4294967311 (savings accounts.cpp:41)". Without one it has
/// the place where it was made. A name may have 60 bytes; the rest is dropped.
/// A run has room for 4096 different names and places.
template <class Handle>
void name(const Handle& of, std::string_view text) {
  memory::name_object(of.id(), text);
}

/// A run on this machine.
struct run_entry {
  std::uint64_t inode = 0;
  /// Open for reading; empty if the kernel refuses.
  os::descriptor file;
  /// The processes that have its memory open, in order of their numbers.
  std::vector<std::int32_t> pids;
  std::uint32_t user = 0;
};

/// All runs that the caller may look at.
/// @param refused set to the number of processes that the kernel does not let
/// the
///        caller see: of other users, or such as may not be dumped
[[nodiscard]] std::vector<run_entry> find_runs(std::size_t& refused);

} // namespace troupe::inspection
