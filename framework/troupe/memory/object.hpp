// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe::memory {

/// What an object of the run's memory is. Part of its magic, so that a handle
/// of one kind is refused where another is expected.
enum class object_kind : std::uint32_t {
  none = 0,
  parcel,
  value,
  array,
  buffer,
  block,
  queue,
  segment,
  connection,
  ring,
  inbox,
  letter,
  mutex,
  semaphore,
  condition,
  event,
  barrier,
  registry,
  state,
  /// Kinds for tests and for users of this layer start here.
  user = 1000,
};

/// "queue" for `object_kind::queue`; the number of one that has no name.
[[nodiscard]] std::string name_of(object_kind kind);

/// Returns what the first word of a living object of `kind` holds.
[[nodiscard]] constexpr std::uint64_t magic_of(object_kind kind) noexcept {
  return 0x7472'6F75'0000'0000ULL + static_cast<std::uint64_t>(kind);
}

/// The head of every object in the run's memory.
///
///     0    magic     zero: nothing here, or gone
///     8    life      attaches so far << 17, its undertaker's row << 1, and 1
///                    once it is dead; never zero before its page is given back
///     16   size      bytes of payload
///     24   reserved  bytes of the whole object, a multiple of the page size
///     32   in_flight messages that carry a handle of it
///     36   kind
///     40   creator   packed slot_id, for diagnostics
///     48   payload   distance from here to the payload
///     56   accounted 1 while a ledger counts it
///     64   holders   one bit for each row of the process table
///     payload        128-byte aligned
///
/// An object lives while a bit is set or a message is in flight. Whoever takes
/// the last away frees it: the race of two, or with a late attach, is decided
/// by one compare-exchange on `life` (docs/design/memory.md argues it).
struct object_header {
  std::atomic<std::uint64_t> magic;
  std::atomic<std::uint64_t> life;
  std::uint64_t size;
  std::uint64_t reserved;
  std::atomic<std::uint32_t> in_flight;
  std::uint32_t kind;
  std::uint64_t creator;
  std::uint64_t payload;
  std::atomic<std::uint64_t> accounted;

  [[nodiscard]] std::atomic<std::uint64_t>* holders() noexcept {
    return reinterpret_cast<std::atomic<std::uint64_t>*>(this + 1);
  }

  [[nodiscard]] std::byte* bytes() noexcept {
    return reinterpret_cast<std::byte*>(this) + payload;
  }
};

static_assert(sizeof(object_header) == 64);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// What a kind needs done beyond giving its memory back.
struct kind_operations {
  /// Called right before the memory is given back, when nobody can attach any
  /// more. Must not throw, and must accept a payload that its creator never
  /// finished (all zero). If the caller is killed inside it is called again, by
  /// whoever confirms that death: so give up one thing at a time, and clear its
  /// place first.
  void (*dispose)(std::byte* payload, std::uint64_t size) noexcept = nullptr;

  /// Called for each object that a dead process held, before its bit is
  /// cleared, by whoever confirmed the death; perhaps twice. `slot` is the
  /// index of the dead process.
  void (*holder_died)(std::byte* payload, std::uint64_t size,
                      std::uint32_t slot) noexcept
    = nullptr;

  /// Called when the living process in `slot` gives its last handle up, before
  /// its bit is cleared: from then on nobody would notice its death here. Must
  /// not wait and must not create, attach or give up handles.
  void (*holder_left)(std::byte* payload, std::uint64_t size,
                      std::uint32_t slot) noexcept
    = nullptr;
};

/// Registers the operations of `kind`; to be called during static
/// initialisation, so that the fork server knows them too. Returns true.
bool register_kind(object_kind kind, kind_operations operations) noexcept;

/// Returns what `register_kind` was given for `kind`, or nothing to do.
[[nodiscard]] kind_operations operations_of(object_kind kind) noexcept;

} // namespace troupe::memory
