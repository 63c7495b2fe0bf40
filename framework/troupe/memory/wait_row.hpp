// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/os/wait_word.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace troupe::memory {

/// What a thread waits for. The object is named beside it.
enum class wait_kind : std::uint32_t {
  none = 0,
  /// A mutex.
  lock,
  /// A unit of a semaphore.
  unit,
  /// A notification of a condition.
  notification,
  /// An event.
  event,
  /// The other parties of a barrier.
  arrivals,
  /// An item of a queue, or a message of a pipe.
  item,
  /// Room in a queue or a pipe.
  room,
  /// That all items of a queue are done.
  finished,
  /// The end of a process.
  process,
  /// The end of its children: the thread ends its process.
  children,
  /// The first of several objects and processes.
  any,
  /// A state's answer.
  answer,
  /// A state's process: a request.
  request,
  /// A pool's owner: a result of its workers.
  result,
  /// A worker's watcher: that its task is asked to stop.
  stop_request,
  /// Another thread of its own process.
  thread,
  /// A thread of Troupe's own, which does nothing that others have not caused.
  service,
  /// The actor system of a process: a message.
  message,
};

inline constexpr std::uint32_t wait_kinds = 19;

/// Whether a wait of that kind is one of Troupe's own: its thread stands by for
/// others, and always does, so it says nothing of what the program is about.
/// What is told of waits, and what is added up of them, leaves these out.
[[nodiscard]] constexpr bool is_own_wait(wait_kind kind) noexcept {
  switch (kind) {
    case wait_kind::none:
    case wait_kind::stop_request:
    case wait_kind::thread:
    case wait_kind::service:
    case wait_kind::message: return true;
    default: return false;
  }
}

/// Who waits: one thread that sleeps, or is about to.
///
///     0    thread    generation of the slot << 32 | the kernel's number; of
///                    another generation, or 0: free
///     8    turn      odd while it waits; counted up at each begin and end
///     12   kind      a `wait_kind`, and `is_open`
///     16   since     nanoseconds of the steady clock, up to 10 ms early
///     24   until     the same; the largest number: for ever
///     32   word      offset of the word that it sleeps on, 0 if that is its own
///     40   expected  what the word shows as long as nobody has woken it
///     48   places    offsets into what it waits for: an object's payload, a slot
///     128
///
/// Written by its thread only. Whoever reads looks at `turn` before and after.
///
/// # What a crash leaves
/// The rows of a dead process, which are free: they are of another generation.
struct wait_row {
  static constexpr std::size_t most_places = 10;
  /// Somebody outside of the run may end the wait, or somebody unknown: a
  /// descriptor, more places than there is room for.
  static constexpr std::uint32_t is_open = 1U << 31;

  // `thread`: taken by an acq_rel exchange, given up with release. `turn`:
  // release by the waiting thread at both ends; it publishes `kind`, `since`,
  // `until` and `places`, which are relaxed. `word`: release in `sleeps`,
  // behind `expected`. The reader is another process, and copies the row.
  std::atomic<std::uint64_t> thread;
  std::atomic<std::uint32_t> turn;
  std::atomic<std::uint32_t> kind;
  std::atomic<std::int64_t> since;
  std::atomic<std::int64_t> until;
  std::atomic<std::uint64_t> word;
  std::atomic<std::uint32_t> expected;
  std::uint32_t unused;
  std::array<std::atomic<std::uint64_t>, most_places> places;
};

static_assert(sizeof(wait_row) == 128);
static_assert(offsetof(wait_row, places) == 48);

/// The rows of one process. Threads that wait beyond these are not noted, and
/// count as running.
struct wait_rows {
  static constexpr std::size_t count = 16;

  std::array<wait_row, count> rows;
};

static_assert(sizeof(wait_rows) == 2048);

/// One wait of the calling thread, for whoever looks at the run: it stands in
/// the thread's `wait_row` from the first `sleeps` to the end of the scope. A
/// wait that never comes to sleep writes nothing. Costs some 20 ns before a
/// sleep.
///
/// Inside a `covering_wait` of the same thread that one says what for.
class wait_note {
public:
  /// `place` is what is waited for, or anything in its payload.
  wait_note(wait_kind kind, const void* place, deadline until) noexcept
    : kind_(kind), place_(place), until_(until) {
  }

  /// For several; `open` if there are others that nobody knows of.
  wait_note(wait_kind kind, std::span<const void* const> places, bool open,
            deadline until) noexcept
    : kind_(kind), open_(open), places_(places), until_(until) {
  }

  wait_note(const wait_note&) = delete;
  wait_note& operator=(const wait_note&) = delete;

  ~wait_note() {
    if (row_ != nullptr) [[unlikely]]
      leave();
  }

  /// The thread is about to sleep on `word` while that shows `expected`.
  void sleeps(const os::wait_word& word, std::uint32_t expected) noexcept;

  /// The same where it sleeps in another way.
  void sleeps() noexcept;

protected:
  static wait_note*& covering() noexcept;

private:
  void enter() noexcept;
  void leave() noexcept;

  wait_kind kind_;
  bool open_ = false;
  const void* place_ = nullptr;
  std::span<const void* const> places_;
  deadline until_;
  wait_row* row_ = nullptr;
};

/// A wait that is made of others: what these would say, it says.
class covering_wait : public wait_note {
public:
  covering_wait(wait_kind kind, const void* place, deadline until) noexcept
    : wait_note(kind, place, until), before_(covering()) {
    if (before_ == nullptr)
      covering() = this;
  }

  ~covering_wait() {
    covering() = before_;
  }

  covering_wait(const covering_wait&) = delete;
  covering_wait& operator=(const covering_wait&) = delete;

private:
  wait_note* before_;
};

} // namespace troupe::memory
