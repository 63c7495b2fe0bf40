// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>

#include <atomic>
#include <cstdint>
#include <span>

/// Shares that objects have in others: how what is on its way stays alive.
///
/// A share is counted in the object's head exactly as long as its id stands in
/// a list at the beginning of another object's payload. Only the one process
/// that makes that object, and later the one that ends it, changes the list.
/// Whoever is killed meanwhile leaves a note in its row, and whoever confirms
/// the death finishes that change, once. docs/design/memory.md argues each step
/// [share].
namespace troupe::memory {

/// What an object with `object_head::has_shares` begins with: how many ids
/// there are, and the ids, 0 for each whose share is not counted.
struct share_list {
  std::uint64_t count;

  [[nodiscard]] static constexpr std::uint64_t
  bytes_for(std::uint64_t ids) noexcept {
    return sizeof(share_list) + ids * sizeof(object_id);
  }

  [[nodiscard]] object_id* ids() noexcept {
    return reinterpret_cast<object_id*>(this + 1);
  }

  [[nodiscard]] const object_id* ids() const noexcept {
    return reinterpret_cast<const object_id*>(this + 1);
  }
};

namespace shares {

/// The ids that stand in the list of an object; none if it has no list.
/// @pre the object lives meanwhile
[[nodiscard]] std::span<const object_id> of(const object_head* head) noexcept;

/// Counts shares of objects and writes their ids into a list.
/// @pre the calling process holds all of them, and the object of the list,
/// which
///      nobody else knows yet
void add(std::span<const object_id> ids, share_list& list) noexcept;

/// Ends all shares in the list of an object that `row` has the life of, and the
/// objects that nothing else keeps alive.
/// @pre the caller does not hold `own_row_mutex()`
void end_all(object_head* head, std::uint32_t row) noexcept;

/// Finishes the change that the dead process of `row` was about to make.
void settle(std::uint32_t row) noexcept;

} // namespace shares

} // namespace troupe::memory
