// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>
#include <troupe/memory/run_memory.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <span>
#include <string_view>
#include <utility>

namespace troupe::memory {

/// What is in the payload of a new object.
enum class contents : std::uint8_t {
  zero,
  /// Whatever, but zero in the first 128 bytes: for who writes it all. The
  /// memory may be that of an object that has ended, and is there already.
  unspecified,
};

/// A hold on one object of the run's memory; what every handle is made of.
///
/// The object lives at least as long as some living process holds a reference,
/// or a message or another object carries one. Copying is one atomic add inside
/// the process; only the first reference of a process to an object and its last
/// touch shared memory.
///
/// # What a crash leaves
/// Nothing: a process writes what it takes into its handle table *before* it
/// changes the object, so whoever confirms its death finds everything.
///
/// # Across a plain fork
/// A forked child holds nothing: copies it has of a parent's references must
/// not be used, and their destruction does nothing.
class reference {
public:
  reference() noexcept = default;

  /// Creates an object with `size` bytes of payload, held by this process. The
  /// payload is aligned to 128 bytes.
  /// Throws `limit_reached` (memory, address space, handles), `invalid_state`.
  [[nodiscard]] static reference create(object_kind kind, std::uint64_t size,
                                        contents of = contents::zero);

  /// The same for an object that begins with shares of others: those of `of`
  /// live at least as long as this one does. The `size` bytes come behind them.
  /// Where `of` is empty there are no shares, and all is as with `create`.
  /// Throws as `create`; `limit_reached` for an object of which 2^26 shares
  /// are.
  /// @pre this process holds all of them
  [[nodiscard]] static reference
  create_with_shares(object_kind kind, std::uint64_t size,
                     std::span<const object_id> of,
                     contents rest = contents::zero);

  /// Creates an object of two sides, with at most
  /// `object_head::size_of_two_sides` bytes of zeros for payload, and returns a
  /// reference to each side. Each has holders and shares of its own, and ends
  /// by itself, which the kind is told by `side_ended`; both have the same
  /// payload, and the object ends with the later one. Throws as `create`.
  [[nodiscard]] static std::pair<reference, reference>
  create_two_sided(object_kind kind, std::uint64_t size);

  /// Takes hold of the object `id`. Throws `stale_handle` if no living object
  /// of that kind has that id, `limit_reached`.
  [[nodiscard]] static reference attach(object_id id, object_kind kind);

  [[nodiscard]] explicit operator bool() const noexcept {
    return hold_ != nullptr;
  }

  /// Returns the object's id, 0 where nothing is held.
  [[nodiscard]] object_id id() const noexcept {
    return hold_ ? hold_->id : 0;
  }

  [[nodiscard]] object_kind kind() const noexcept {
    return static_cast<object_kind>(
      hold_->head->kind.load(std::memory_order_relaxed));
  }

  /// Bytes of payload.
  [[nodiscard]] std::uint64_t size() const noexcept {
    return hold_->head->size.load(std::memory_order_relaxed);
  }

  /// Shares of the object that are counted at this moment.
  [[nodiscard]] std::uint64_t shares() const noexcept {
    return object_side{hold_->head, is_second_side(hold_->id)}
      .shares_now()
      .count();
  }

  /// The objects that this one has shares of: as often as they were given.
  [[nodiscard]] std::span<const object_id> shared_ids() const noexcept;

  /// The payload without the shares.
  [[nodiscard]] std::span<std::byte> behind_shares() const noexcept;

  [[nodiscard]] std::byte* data() const noexcept {
    return hold_->data;
  }

  [[nodiscard]] std::span<std::byte> bytes() const noexcept {
    return {data(), static_cast<std::size_t>(size())};
  }

  /// Returns the payload as a `T` that was constructed there.
  template <class T>
  [[nodiscard]] T* as() const noexcept {
    return reinterpret_cast<T*>(hold_->data);
  }

  /// The number of the object's `origin`, 0 where it has none.
  [[nodiscard]] std::uint32_t origin() const noexcept {
    return hold_->head->origin.load(std::memory_order_relaxed);
  }

  void set_origin(std::uint32_t number) const noexcept {
    hold_->head->origin.store(number, std::memory_order_relaxed);
  }

  /// Takes all of the object's memory now, in large pages where the kernel can,
  /// instead of at the first touch of each page. A hint; nothing happens where
  /// the memory is of an object that has ended.
  void populate() const noexcept;

  void reset() noexcept {
    hold_.reset();
  }

  friend bool operator==(const reference& a, const reference& b) noexcept {
    return a.id() == b.id();
  }

private:
  friend struct hold_table;

  struct hold {
    hold() noexcept = default;
    hold(const hold&) = delete;
    hold& operator=(const hold&) = delete;
    ~hold();

    object_id id = 0;
    object_head* head = nullptr;
    std::byte* data = nullptr;
    std::uint32_t entry = 0;
    /// The memory was there when the object was made.
    bool is_warm = false;
    /// The pid of the process that holds; 0 while nothing is held.
    std::int32_t owner = 0;
  };

  /// What a creation leaves that throws after it has taken a head.
  struct unfinished_object {
    object_head* head = nullptr;
    std::uint32_t entry = 0;
  };

  static reference create_once(object_kind kind, std::uint64_t size,
                               contents of, unfinished_object& unfinished);
  static void give_up_unfinished(const unfinished_object& what) noexcept;

  explicit reference(std::shared_ptr<hold> taken) noexcept
    : hold_(std::move(taken)) {
  }

  std::shared_ptr<hold> hold_;
};

/// Notes where an object was made: "accounts.cpp:41". Some nanoseconds, but for
/// the first time at each place.
void note_origin(const reference& object,
                 const std::source_location& made_at) noexcept;

/// Gives an object a name, which stands before the place where it was made. A
/// name may have 60 bytes; the rest is dropped.
/// @pre the caller holds the object
void name_object(object_id object, std::string_view name) noexcept;

/// What the object `id` is; `none` where there is none, or that side has ended.
[[nodiscard]] object_kind kind_of(object_id id) noexcept;

/// The object has something that keeps it alive until `forget`, beside all
/// handles. Only for what has one such thing at a time (a segment of a mailbox,
/// a message, a parcel), so that to end it twice does no harm. The caller sees
/// to it that whoever goes on after its death knows the object.
void keep_alive(const reference& object) noexcept;

/// Ends that. `id` may be any number; nothing happens where no object is. May
/// be called again, but not by two at a time.
void forget(object_id id) noexcept;

/// `place` in the run's memory names the object from now on, and keeps it alive
/// until `forget_at`. A process killed inside leaves nothing: either that is
/// so, or `place` names an object that ends with the process.
void entrust(std::atomic<object_id>& place, const reference& object) noexcept;

/// Ends that, and then sets `place` to 0; may be called again, and by several.
/// Nothing happens where `place` is 0.
void forget_at(std::atomic<object_id>& place) noexcept;

/// The object that has `place` in its payload keeps `object` alive from now on.
/// Unlike a share of a message this is a bit, so it may be given up twice: a
/// process killed in `own` or `disown` leaves what whoever goes on finds.
/// @pre the caller has just made the object of `place`, and nobody else knows
/// it
void own(std::atomic<object_id>& place, const reference& object) noexcept;

/// Ends that: for the `dispose` of the object that has `place` in its payload.
/// Where the process can hold no more objects the object stays until the run
/// ends.
void disown(std::atomic<object_id>& place) noexcept;

/// Gives back everything that the process in row `index` held, and finishes or
/// undoes what it was about to do. Only for whoever has confirmed that it is
/// dead, one at a time; to be called again, by another, if the caller dies
/// inside.
void release_holdings(std::uint32_t index) noexcept;

/// Forgets, in a forked child, what its parent held: the child holds nothing.
void start_without_holdings() noexcept;

} // namespace troupe::memory
