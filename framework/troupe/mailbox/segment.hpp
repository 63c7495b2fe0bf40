// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/base/bytes.hpp>
#include <troupe/base/scattered_view.hpp>
#include <troupe/memory/reference.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace troupe::mailbox {

/// One message as its reader sees it: in the mailbox's memory, valid only while
/// it is looked at.
struct message {
  bytes_view body;
  /// Objects whose handles the message carries, which keeps them alive.
  std::span<const memory::object_id> handles;
  memory::slot_id writer;
};

/// One message to be put. Who puts it holds the objects of the handles.
struct draft {
  scattered_view body;
  std::span<const memory::object_id> handles = {};
};

/// The head of a record in a segment.
///
///     0    size      bytes of body
///     4    carried   1 if the id of an object of kind `message` stands before
///                    the body, which has the shares of the message's handles
///     6    kind
///     8    writer    packed slot_id
///     16   id of the carrier; body; filled up to 8 bytes
struct record_head {
  enum kind_of : std::uint16_t {
    /// The rest of the lap is empty; the next record starts the next one.
    skip = 0,
    /// The body stands here.
    here = 1,
    /// The body is in an object of kind `message`, behind the shares of the
    /// handles; here stands its id.
    apart = 2,
  };

  std::uint32_t size;
  std::uint16_t carried;
  std::uint16_t kind;
  std::uint64_t writer;
};

static_assert(sizeof(record_head) == 16);

/// A ring of records: one piece of a mailbox, an object of kind `segment`.
///
///     0      capacity   bytes of records, a power of two
///     8      sealed     position behind the last record; the rest is in `next`
///     16     next       id of the next segment
///     128    consumed   position up to which nobody reads any more
///     256    records
///
/// Positions count bytes and never wrap; a position's place is its remainder by
/// the capacity. No record straddles the end. Nothing here says which records
/// are valid: the mailbox's commit words do.
class segment {
public:
  static constexpr std::uint64_t head_size = 2 * cache_line;
  static constexpr std::uint64_t smallest = 64 << 10;
  /// Largest record that is kept in a ring.
  static constexpr std::uint64_t largest_record = 2 << 20;
  static constexpr std::uint64_t open_end = ~std::uint64_t{0};

  /// Creates a segment in which records of up to `need` bytes fit, at least as
  /// large as `wish`, which counts up to `largest_record`. Throws
  /// `limit_reached`.
  [[nodiscard]] static memory::reference make(std::uint64_t wish,
                                              std::uint64_t need);

  /// Returns the segment of an id that the mailbox vouches for.
  [[nodiscard]] static segment& at(memory::object_id where) noexcept {
    return *reinterpret_cast<segment*>(
      memory::run_memory::current().payload_of(where));
  }

  /// Bytes that a record takes in a ring.
  [[nodiscard]] static constexpr std::uint64_t
  room_for(bool carried, std::uint64_t body) noexcept {
    return round_up(sizeof(record_head)
                      + (carried ? sizeof(memory::object_id) : 0) + body,
                    8);
  }

  [[nodiscard]] std::uint64_t capacity() const noexcept {
    return capacity_;
  }

  /// Whether `need` bytes fit at `position` if all before `consumed` is free.
  [[nodiscard]] bool fits(std::uint64_t position, std::uint64_t need,
                          std::uint64_t consumed) const noexcept {
    return position + lap_rest(position, need) + need - consumed <= capacity_;
  }

  /// Writes a record at `position`, where it must fit; returns the position
  /// behind it. `carrier` is 0 if there are no handles, or the message lies
  /// apart.
  std::uint64_t write(std::uint64_t position, const scattered_view& body,
                      memory::object_id carrier, record_head::kind_of kind,
                      std::uint64_t writer) noexcept;

  /// For a writer that has come from `from` to `to` with a small record, when
  /// all before `consumed` is free. Entering a block of the ring it takes the
  /// cache lines of the next one from the readers, who had them last: all at
  /// once, which one by one would each cost it a wait.
  void take_back(std::uint64_t from, std::uint64_t to,
                 std::uint64_t consumed) noexcept;

  /// Where a record stands, once found.
  struct found {
    const record_head* head = nullptr;
    const std::byte* body = nullptr;
    std::uint64_t behind = 0;

    /// The object that is on its way with the record, 0 for none.
    [[nodiscard]] memory::object_id object() const noexcept {
      memory::object_id id = 0;
      if (head->carried != 0)
        std::memcpy(&id, head + 1, sizeof id);
      else if (head->kind == record_head::apart && head->size >= sizeof id)
        std::memcpy(&id, body, sizeof id);
      return id;
    }
  };

  /// Returns the record at `position`; without a head if the bytes there make
  /// no sense.
  [[nodiscard]] found read(std::uint64_t position) const noexcept;

  /// acquire: pairs with the release in `consume_to`.
  [[nodiscard]] std::uint64_t consumed() const noexcept {
    return consumed_.load(std::memory_order_acquire);
  }

  /// The reader's last word on all before `position`.
  void consume_to(std::uint64_t position) noexcept {
    consumed_.store(position, std::memory_order_release);
  }

  void seal(std::uint64_t position, memory::object_id next) noexcept {
    next_ = next;
    sealed_.store(position, std::memory_order_relaxed);
  }

  void unseal() noexcept {
    sealed_.store(open_end, std::memory_order_relaxed);
    next_ = 0;
  }

  [[nodiscard]] std::uint64_t sealed() const noexcept {
    return sealed_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] memory::object_id next() const noexcept {
    return next_;
  }

private:
  [[nodiscard]] std::uint64_t lap_rest(std::uint64_t position,
                                       std::uint64_t need) const noexcept {
    const auto rest = capacity_ - (position & (capacity_ - 1));
    return need <= rest ? 0 : rest;
  }

  [[nodiscard]] std::byte* place(std::uint64_t position) noexcept {
    return reinterpret_cast<std::byte*>(this) + head_size
           + (position & (capacity_ - 1));
  }

  [[nodiscard]] const std::byte* place(std::uint64_t position) const noexcept {
    return const_cast<segment*>(this)->place(position);
  }

  std::uint64_t capacity_;
  // Both are published by the writers' commit word, so relaxed. A reader may
  // look at `sealed_` while a writer is about to set it, and does not find its
  // own position there: a message that it may take stands before.
  std::atomic<std::uint64_t> sealed_;
  memory::object_id next_;

  // release in `consume_to`, acquire in `consumed`: a writer overwrites only
  // what was read.
  alignas(cache_line) std::atomic<std::uint64_t> consumed_;
};

static_assert(sizeof(segment) == segment::head_size);

} // namespace troupe::mailbox
