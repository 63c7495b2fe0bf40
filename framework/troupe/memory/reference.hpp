// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>
#include <troupe/memory/run_memory.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace troupe::memory {

/// A hold on one object of the run's memory; what every handle is made of.
///
/// The object lives at least as long as some living process holds a reference
/// or some message carries one. Copying is one atomic add inside the process;
/// only the first reference of a process to an object and its last touch
/// shared memory.
///
/// # What a crash leaves
/// Nothing: a process writes what it takes into its handle table *before* it
/// changes the object, so whoever confirms its death finds everything. The one
/// exception are messages: a process killed between `send` and the publishing
/// of the message, or between taking a message and `receive`, leaves that one
/// object's memory until the run ends.
///
/// # Across a plain fork
/// A forked child holds nothing: copies it has of a parent's references must
/// not be used, and their destruction does nothing.
class reference {
public:
  reference() noexcept = default;

  /// Creates an object with `size` bytes of payload, all zero, held by this
  /// process. The payload is aligned to 128 bytes.
  /// Throws `limit_reached` (memory, address space, handles), `invalid_state`.
  [[nodiscard]] static reference create(object_kind kind, std::uint64_t size);

  /// Takes hold of the object at `where`. Throws `stale_handle` if no living
  /// object of that kind is there, `limit_reached`.
  [[nodiscard]] static reference attach(offset where, object_kind kind);

  [[nodiscard]] explicit operator bool() const noexcept {
    return hold_ != nullptr;
  }

  [[nodiscard]] offset where() const noexcept {
    return hold_ ? hold_->where : 0;
  }

  [[nodiscard]] object_kind kind() const noexcept {
    return static_cast<object_kind>(hold_->head->kind);
  }

  /// Bytes of payload.
  [[nodiscard]] std::uint64_t size() const noexcept {
    return hold_->head->size;
  }

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

  /// Takes all of the object's memory now, in large pages where the kernel can,
  /// instead of at the first touch of each page. A hint.
  void populate() const noexcept;

  void reset() noexcept {
    hold_.reset();
  }

  friend bool operator==(const reference& a, const reference& b) noexcept {
    return a.where() == b.where();
  }

private:
  friend struct hold_table;

  struct hold {
    hold() noexcept = default;
    hold(const hold&) = delete;
    hold& operator=(const hold&) = delete;
    ~hold();

    offset where = 0;
    object_header* head = nullptr;
    std::byte* data = nullptr;
    std::uint32_t entry = 0;
    /// The pid of the process that holds; 0 while nothing is held.
    std::int32_t owner = 0;
  };

  explicit reference(std::shared_ptr<hold> taken) noexcept
    : hold_(std::move(taken)) {
  }

  std::shared_ptr<hold> hold_;
};

/// What the object at `where` is; `none` where there is none.
[[nodiscard]] object_kind kind_at(offset where) noexcept;

/// A message now carries a handle of the object: it lives until `receive` or
/// `forget` is called for it. Returns what to put into the message.
[[nodiscard]] offset send(const reference& object) noexcept;

/// Takes hold of an object whose handle came in a message, for which `send`
/// was called. Throws as `attach`; the message's share ends in either case.
[[nodiscard]] reference receive(offset where, object_kind kind);

/// The message that carried the handle is gone unread. `where` may be any
/// number; nothing happens where no object is.
void forget(offset where) noexcept;

/// The same for a handle that stands at `place` in shared memory, where it is
/// struck out in the moment in which its share ends. So whoever goes on after a
/// crash may do it again for all that still stand.
void forget_at(offset& place) noexcept;

/// Gives back everything that the process in row `index` held, and finishes or
/// undoes what it was about to do. Only for whoever has confirmed that it is
/// dead, one at a time; to be called again, by another, if the caller dies
/// inside.
void release_holdings(std::uint32_t index) noexcept;

/// Forgets, in a forked child, what its parent held: the child holds nothing.
void start_without_holdings() noexcept;

} // namespace troupe::memory
