// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/base/bytes.hpp>
#include <troupe/memory/reference.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace troupe::mailbox {

/// The head of a ring: frames from one process to one other.
///
///     0     writer    packed slot_id of the process that writes
///     8     reader    packed slot_id of the process that reads
///     16    capacity  bytes of data, a power of two
///     24    next      ring announced before this one and not yet taken
///     32    types     fingerprint of the writer's message types
///     40    successor id of the ring in which the writer goes on, 0 for none;
///                     this one keeps it alive
///     48    inbox     id of the inbox that it is being announced to, 0 for none
///     56    known     1: it is known to have been announced
///     64    self      id of this ring
///     128   tail      bytes ever published      (stored by the writer)
///     256   head      bytes ever taken          (stored by the reader)
///     384   hungry    the writer waits for room (set by it, taken by reader)
///     512   data
///
/// A frame starts at a multiple of 8, never wraps, and is
///
///     0     size      bytes of body
///     4     tag       what the layer above makes of it; `ring_pad` for filler
///     8     body      padded to a multiple of 8
///
/// # What a crash leaves
/// A writer publishes by one store of `tail` after the bytes are whole, so a
/// writer that is killed leaves whole frames or nothing. A reader that is
/// killed leaves a ring that nobody drains; the writer hears of the death. A
/// writer killed while it announces a ring has announced it or not: see
/// `inbox::announce`.
struct ring_head {
  std::uint64_t writer;
  std::uint64_t reader;
  std::uint64_t capacity;
  // relaxed: the exchange of `inbox_head::announced`, which comes next,
  // publishes it; read behind the acquire of that.
  std::atomic<std::uint64_t> next;
  std::uint64_t types;
  // `successor`: seq_cst by the writer, in `memory::own`; read with seq_cst by
  // whoever gives the ring up. `inbox` and `known`: seq_cst in
  // `inbox::announce` and, after the writer's death, in `writer_died`: `known`
  // is set before the ring stands in `announced` no more, and `was_announced`
  // looks at `known` last.
  std::atomic<memory::object_id> successor;
  std::atomic<memory::object_id> inbox;
  std::atomic<std::uint64_t> known;
  memory::object_id self;

  /// release in `ring_writer::publish`, acquire in `ring_reader::next`.
  alignas(cache_line) std::atomic<std::uint64_t> tail;
  /// release in `ring_reader::release`, acquire in `ring_writer::reserve`.
  alignas(cache_line) std::atomic<std::uint64_t> head;
  /// relaxed, beside a seq_cst fence on both sides: see
  /// `ring_writer::ask_for_room`.
  alignas(cache_line) std::atomic<std::uint32_t> hungry;

  [[nodiscard]] std::byte* data() noexcept {
    return reinterpret_cast<std::byte*>(this + 1);
  }
};

static_assert(sizeof(ring_head) == 512);

/// Marks the rest of the ring before the end that no frame fits into.
inline constexpr std::uint32_t ring_pad = 0xFFFF'FFFF;

/// Creates a ring of `capacity` bytes (a power of two) from the calling
/// process to `reader`. Throws what `memory::reference::create` throws.
[[nodiscard]] memory::reference
make_ring(memory::slot_id reader, std::uint64_t capacity, std::uint64_t types);

/// Says whether an object that claims to be a ring to the calling process is
/// one: nothing in it has been believed before.
[[nodiscard]] bool is_ring_to_self(const memory::reference& object) noexcept;

/// The writing end. One thread at a time.
class ring_writer {
public:
  ring_writer() noexcept = default;

  /// Takes a ring that `make_ring` made.
  explicit ring_writer(memory::reference ring) noexcept;

  [[nodiscard]] explicit operator bool() const noexcept {
    return head_ != nullptr;
  }

  /// Bytes of body that a frame may have at most: half of the ring, so that
  /// the next one fits too, whatever the position.
  [[nodiscard]] std::size_t largest() const noexcept {
    return static_cast<std::size_t>(capacity_ / 2) - 8;
  }

  /// Returns where to write a body of `size` bytes, or nullptr if there is no
  /// room now. Nothing is visible before `publish`.
  [[nodiscard]] std::byte* reserve(std::size_t size) noexcept;

  /// Returns how large a body could be reserved now, without filler.
  [[nodiscard]] std::size_t contiguous() noexcept;

  /// Publishes the frame reserved last, which may have become smaller.
  void publish(std::size_t size, std::uint32_t tag) noexcept;

  /// The reader will notify when it has made room. Look for room once more
  /// after this: the reader may have made it in between.
  void ask_for_room() noexcept;

  /// True while the request of `ask_for_room` stands unanswered.
  [[nodiscard]] bool waits_for_room() const noexcept {
    return head_->hungry.load(std::memory_order_relaxed) != 0;
  }

  /// True if the reader has taken everything.
  [[nodiscard]] bool drained() const noexcept {
    return head_->head.load(std::memory_order_acquire) == tail_;
  }

  [[nodiscard]] const memory::reference& object() const noexcept {
    return ring_;
  }

private:
  [[nodiscard]] std::uint64_t used() noexcept;

  memory::reference ring_;
  ring_head* head_ = nullptr;
  std::byte* data_ = nullptr;
  std::uint64_t capacity_ = 0;
  std::uint64_t tail_ = 0;
  std::uint64_t seen_head_ = 0;
};

/// What `ring_reader::next` found.
enum class ring_state : std::uint8_t {
  empty,
  frame,
  /// What stands in the ring cannot be: its writer is not to be trusted.
  broken,
};

/// A frame in the ring. Its body is the writer's memory: it may change while
/// it is read, so a length in it is read once.
struct ring_frame {
  std::uint32_t tag = 0;
  bytes_view body;
};

/// The reading end. One thread at a time. Believes nothing: every length is
/// checked against the ring before it is used.
class ring_reader {
public:
  /// Takes a ring of which `is_ring_to_self` holds.
  explicit ring_reader(memory::reference ring) noexcept;

  /// Looks at the next frame. It stays until `take`.
  [[nodiscard]] ring_state next(ring_frame& found) noexcept;

  /// True if `next` would find something.
  [[nodiscard]] bool ready() const noexcept {
    return head_->tail.load(std::memory_order_relaxed) != at_;
  }

  /// Done with the frame that `next` found.
  void take() noexcept {
    at_ += taking_;
    taking_ = 0;
  }

  /// Bytes taken whose room was not given back.
  [[nodiscard]] std::uint64_t unreleased() const noexcept {
    return at_ - released_;
  }

  [[nodiscard]] std::uint64_t capacity() const noexcept {
    return capacity_;
  }

  /// Gives room back. Returns true if the writer waits for it: notify it.
  [[nodiscard]] bool release() noexcept;

private:
  memory::reference ring_;
  ring_head* head_;
  const std::byte* data_;
  std::uint64_t capacity_;
  std::uint64_t at_;
  std::uint64_t released_;
  std::uint64_t tail_;
  std::uint64_t taking_ = 0;
};

} // namespace troupe::mailbox
