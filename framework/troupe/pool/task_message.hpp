// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/failure.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/mailbox/message_queue.hpp>
#include <troupe/memory/reference.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// What a pool and its workers say to each other.
namespace troupe::pooling {

/// The head of a message to a worker; the arguments of the chunk's tasks
/// follow, or those of the initialiser.
struct task_head {
  enum : std::uint32_t { run = 1, end = 2, initialize = 3 };

  std::uint32_t what;
  /// Number of the chunk, never 0.
  std::uint32_t chunk;
  /// Where the function is: see calls::entry.
  std::uint64_t module;
  std::uint64_t offset;
  /// How many tasks the arguments are for, and which of them to run.
  std::uint32_t tasks;
  std::uint32_t first;
  std::uint32_t last;
  /// 1: note when each task starts, for its limits.
  std::uint32_t timed;
};

static_assert(sizeof(task_head) == 40);
static_assert(std::is_trivially_copyable_v<task_head>);

/// The head of a message from a worker: results of the tasks [first, last) of a
/// chunk. The failed ones follow, a vector of `task_failure`, then the values
/// of the others in order.
struct result_head {
  std::uint32_t worker;
  /// How many processes that worker has been.
  std::uint32_t generation;
  std::uint32_t chunk;
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t reserved;
};

static_assert(sizeof(result_head) == 24);

/// A task that threw.
struct task_failure {
  std::uint32_t index;
  calls::failure thrown;
  /// The last lines that its worker wrote to standard error.
  std::string last_lines;
};

/// What a worker shows of itself, in shared memory.
///
///     0    running   chunk in the high half, index of the task plus one in the
///                    low one; 0 while it runs none
///     8    started   when that task began, in nanoseconds, if that is wanted
///     16   stop_for  the value of `running` whose task is asked to stop
///     24   wake_word      changed after `stop_for`; the worker's watcher sleeps on it
///
/// # What a crash leaves
/// `running` names the task that the worker died of: it is set before the
/// task's arguments are decoded and cleared when its result is in the mailbox.
struct worker_note {
  /// release in the worker, acquire in the pool: a task that stands here has no
  /// result in the mailbox yet.
  std::atomic<std::uint64_t> running;
  // relaxed, before `running` is stored; the pool looks at `running` before and
  // after.
  std::atomic<std::int64_t> started;
  // `stop_for` and then `wake_word`: seq_cst in `ask_to_stop`; acquire in
  // `stopper::watch`, the other way round.
  std::atomic<std::uint64_t> stop_for;
  os::wait_word wake_word;

  [[nodiscard]] static std::uint64_t packed(std::uint32_t chunk,
                                            std::uint32_t index) noexcept {
    return (std::uint64_t{chunk} << 32) | (index + 1);
  }
};

static_assert(sizeof(worker_note) == 32);

/// A handle of a mailbox without a type, or of a note, as an argument of a
/// worker's process.
template <memory::object_kind Kind>
class shared_part {
public:
  explicit shared_part(memory::reference object) noexcept
    : object_(std::move(object)) {
  }

  [[nodiscard]] const memory::reference& object() const noexcept {
    return object_;
  }

  void save(codec::encoder& to) const {
    to.handle(object_);
  }

  [[nodiscard]] static shared_part load(codec::decoder& from) {
    auto object = from.handle(Kind);
    if (!object)
      from.refuse("a part of a pool", "the handle is empty");
    return shared_part{std::move(object)};
  }

private:
  memory::reference object_;
};

using message_queue_part = shared_part<memory::object_kind::queue>;
using note_part = shared_part<memory::object_kind::block>;

[[nodiscard]] inline mailbox::message_queue&
box_of(const message_queue_part& part) {
  return *part.object().as<mailbox::message_queue>();
}

[[nodiscard]] inline worker_note& note_of(const note_part& part) {
  return *part.object().as<worker_note>();
}

} // namespace troupe::pooling
