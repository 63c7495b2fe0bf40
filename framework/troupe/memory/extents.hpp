// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>
#include <troupe/memory/run_memory.hpp>

#include <array>
#include <cstdint>
#include <optional>

/// Addresses for payloads that do not stand in their head, and for the handle
/// tables: granules in a row, of 4 KiB in one region and of 2 MiB in another.
///
/// A word for each granule says whose it is; nothing else does. So whoever is
/// killed while it takes or gives back a row of granules leaves each of them
/// free, or of an owner whose death is confirmed and who has noted where the
/// row is. Free granules are holes: they take no memory and read as zero.
namespace troupe::memory::extents {

/// Where the calling process looks first, for each region.
using cursors = std::array<std::uint32_t, region_count>;

struct extent {
  std::uint32_t region = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// Returns the extent that `bytes` need, still without a place.
[[nodiscard]] extent needed_for(std::uint64_t bytes) noexcept;

/// Returns where an extent stands in the run's memory.
[[nodiscard]] offset place_of(const extent& where) noexcept;

/// Returns the extent of a payload that does not stand in its head.
[[nodiscard]] extent extent_of(const object_head* head) noexcept;

/// Returns its bytes.
[[nodiscard]] std::uint64_t bytes_of(const extent& which) noexcept;

/// The owner's name in the word of a granule.
[[nodiscard]] constexpr std::uint32_t owner_head(std::uint32_t index) noexcept {
  return index + 1;
}

[[nodiscard]] constexpr std::uint32_t owner_row(std::uint32_t row) noexcept {
  return 0x8000'0000U | row;
}

/// Takes granules for `owner`, which calls `note(extent)` before each attempt.
/// Returns whether there were any.
[[nodiscard]] bool take(cursors& from, extent wanted, std::uint32_t owner,
                        void (*note)(void* context, const extent& attempt),
                        void* context) noexcept;

/// Makes holes of them.
void punch(const extent& which) noexcept;

/// Gives back those that are of `owner`. May be done again.
/// @pre they are holes
void free(const extent& which, std::uint32_t owner) noexcept;

} // namespace troupe::memory::extents
