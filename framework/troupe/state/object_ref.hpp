// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/mailbox/message_queue.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/memory/process_slot.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/memory/slot_text.hpp>
#include <troupe/os/wait_word.hpp>
#include <troupe/process/exit_status.hpp>
#include <troupe/state/target.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

/// What a state is in the run's memory: objects of kind `state`.
///
///     object reference ─ ─▶ control block ──▶ message_queue of requests
///       cell ─ ─▶
///
/// Handles of the state hold the *cell*, proxies one *object reference* for
/// each held object, and callers and the state's process the *control block*.
/// Object references and cells know the control block by its id alone: it lives
/// as long as somebody calls or serves, and without that there is nobody to
/// tell. So a process that is killed while it drops one of them has no share to
/// lose.
namespace troupe::held {

/// The most objects that a state holds at a time for others.
inline constexpr std::uint32_t most_objects = 1 << 20;

/// The first word of all three.
enum class state_part : std::uint64_t {
  none = 0,
  object_ref,
  cell,
  control_block
};

/// Keeps one object alive for processes of the run.
///
///     0     what
///     8     block    id of the control block
///     16    number   of the object
///     24    type     hash of the object's type
///
/// # What a crash leaves
/// A process that holds it and dies is struck out by whoever confirms that;
/// with the last, `dispose` sets the object's bit in the control block.
struct object_ref {
  state_part what;
  memory::object_id block;
  std::uint64_t number;
  std::uint64_t type;
};

static_assert(sizeof(object_ref) == 32);

/// What handles of a state hold.
///
///     0     what
///     8     block    id of the control block
struct cell {
  state_part what;
  memory::object_id block;
};

static_assert(sizeof(cell) == 16);

/// How a state's process came to its end: what its slot in the process table
/// said, which is given to the next process.
struct story_of_state {
  memory::slot_text<256> name;
  // `pid`, `code`, `ended_by`, `tail_written` and `tail`: relaxed in `note`,
  // whose caller then stores `control_block::dead` with seq_cst. Who reads them
  // has seen that, or what is said after it: that the mailbox has no reader, or
  // that the slot is `dead`.
  std::atomic<std::int32_t> pid;
  std::atomic<std::int32_t> code;
  std::atomic<std::uint32_t> ended_by;
  std::uint32_t unused;
  memory::slot_text<248> exception_type;
  memory::slot_text<760> exception_text;
  memory::slot_text<560> inner_exceptions;
  std::atomic<std::uint64_t> tail_written;
  std::array<std::atomic<char>, memory::process_slot::tail_size - 8> tail;

  void note(const memory::process_slot& dead) noexcept;

  [[nodiscard]] exit_status status() const;

  /// "state-1 (pid 42)"
  [[nodiscard]] std::string description() const;
};

/// What a state's process is told through.
///
///     0     what
///     8     box        id of the requests, which it owns
///     16    process    packed slot_id of the state's process
///     24    ready      1 once it takes requests
///     28    ended      1 once the last cell is gone
///     32    dead       1 once its process is
///     48    cell       id of the cell made last
///     128   news       counted up with each bit that is set
///     256   summary    one bit for each word of `released`
///           released   one bit for each object whose last object reference is gone
///           story      of the process, written before `dead`
///
/// # What a crash leaves
/// Bits are set before they are announced, and setting one again does no harm:
/// a `dispose` that is killed is called again.
struct control_block {
  state_part what;
  static constexpr std::size_t words = most_objects / 64;

  // All seq_cst. `box` is set before anybody else has this, and `process` by
  // who starts the state; `cell` is set by that one, and by the state. `ready`,
  // `ended` and `dead` are set before those who wait for them are notified.
  std::atomic<memory::object_id> box;
  std::atomic<std::uint64_t> process;
  std::atomic<std::uint32_t> ready;
  std::atomic<std::uint32_t> ended;
  std::atomic<std::uint32_t> dead;
  std::uint32_t unused[3];
  std::atomic<memory::object_id> cell;

  /// seq_cst in `ring`; pairs with the look of the state's thread before it
  /// sleeps.
  alignas(cache_line) std::atomic<std::uint64_t> news;
  // seq_cst: `release_object` sets the bit in `released`, then that in
  // `summary`, then counts `news`. `table::collect` reads them the other way
  // round.
  alignas(cache_line) std::atomic<std::uint64_t> summary[words / 64];
  std::atomic<std::uint64_t> released[words];
  story_of_state story;

  [[nodiscard]] mailbox::message_queue& requests() noexcept;
};

static_assert(offsetof(control_block, cell) == 48);
static_assert(offsetof(control_block, summary) == 256);

/// See `memory::layout_of`.
[[nodiscard]] constexpr std::uint32_t layout_of_parts() noexcept {
  return memory::layout_of({sizeof(object_ref), offsetof(object_ref, block),
                            sizeof(cell), offsetof(cell, block),
                            sizeof(control_block), offsetof(control_block, box),
                            offsetof(control_block, process)});
}

/// Make them. Throw `limit_reached`.
[[nodiscard]] memory::reference
make_control_block(const memory::reference& requests);
[[nodiscard]] memory::reference
make_cell(const memory::reference& control_block);
[[nodiscard]] memory::reference
make_object_ref(const memory::reference& control_block, object_number number,
                std::uint64_t type);

/// The part that an object of kind `state` is; nullptr if it is not that one.
[[nodiscard]] object_ref*
as_object_ref(const memory::reference& object) noexcept;
[[nodiscard]] cell* as_cell(const memory::reference& object) noexcept;
[[nodiscard]] control_block*
as_control_block(const memory::reference& object) noexcept;

} // namespace troupe::held
