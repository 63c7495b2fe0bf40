// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::memory {

/// What one process has taken of the run's memory, and what it has given back.
///
///     0    taken    bytes of objects it created less bytes of objects it freed
///     8    where    the object of an entry that is not finished, or 0
///     16   before   `taken` before that entry
///     24   amount   what that entry adds
///     32   (unused)
///     64
///
/// The sum of `taken` over all rows is what living objects reserve. Only the
/// row's process writes it, under one lock of its own, and after its death
/// whoever confirmed that; so the sum stays exact whoever is killed when: an
/// entry that was begun is found by `where` and is done again or undone.
struct ledger_row {
  // `taken`: seq_cst in `begin` and in `run_memory::reserved_bytes`; relaxed
  // where its own process reads it under the lock. `where`: release in `begin`,
  // behind `before` and `amount`, which are relaxed, and in `end`; acquire in
  // `settle_ledger`.
  std::atomic<std::int64_t> taken;
  std::atomic<std::uint64_t> where;
  std::atomic<std::int64_t> before;
  std::atomic<std::int64_t> amount;
  std::uint64_t unused[4];

  /// Begins an entry about the object at `object_offset` and applies it.
  void begin(std::uint64_t object_offset, std::int64_t by) noexcept {
    const auto now = taken.load(std::memory_order_relaxed);
    before.store(now, std::memory_order_relaxed);
    amount.store(by, std::memory_order_relaxed);
    // release: whoever finds `where` set must find the two above.
    where.store(object_offset, std::memory_order_release);
    // seq_cst: of two processes that both add and then sum, one sees the other.
    taken.store(now + by, std::memory_order_seq_cst);
  }

  /// Ends the entry: what it is about says so itself now.
  void end() noexcept {
    where.store(0, std::memory_order_release);
  }

  /// Ends the entry as if it had never begun.
  void undo() noexcept {
    taken.store(before.load(std::memory_order_relaxed),
                std::memory_order_seq_cst);
    end();
  }

  /// Sees that an entry which a dead process left is applied, exactly once.
  void redo() noexcept {
    taken.store(before.load(std::memory_order_relaxed)
                  + amount.load(std::memory_order_relaxed),
                std::memory_order_seq_cst);
  }
};

static_assert(sizeof(ledger_row) == 64);

} // namespace troupe::memory
