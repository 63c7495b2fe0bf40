// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/extents.hpp>
#include <troupe/memory/head_table.hpp>
#include <troupe/memory/object.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace troupe::memory {

/// Guards what only the calling process writes: its `row_memory`, its handle
/// table, and `own_row`.
[[nodiscard]] std::mutex& own_row_mutex();

/// What the calling process remembers of its own row, outside of the run's
/// memory. Guarded by `own_row_mutex()`.
struct own_row {
  head_table::picker heads;
  extents::cursors extents{};
  std::vector<std::uint32_t> free_entries;
  std::uint32_t entries_high = 0;
  // The entries. seq_cst in `note`, before the first change of the object;
  // release in `give_entry_back`, after the last. acquire where the death
  // is cleared up.
  std::array<std::atomic<object_id>*, row_memory::most_chunks> chunks{};

  static own_row& of_this_process();

  /// Takes an entry of the handle table, which grows with it. Throws
  /// `limit_reached`, `std::bad_alloc`.
  std::uint32_t take_entry(const char* attempted);

  /// Notes that this process is about to hold, or to end, the object `id`.
  void note(std::uint32_t entry, object_id id) noexcept;

  void give_entry_back(std::uint32_t entry) noexcept;

  /// Forgets, in a forked child, what its parent had.
  void reset() noexcept;
};

/// An entry of the calling process's handle table that names an object, for as
/// long as something is done with it. Takes `own_row_mutex()` itself, for a
/// moment at each end. False where there is no room: then nobody goes on after
/// a crash.
class own_note {
public:
  own_note(const char* attempted, object_id id) noexcept;
  own_note(const own_note&) = delete;
  own_note& operator=(const own_note&) = delete;
  ~own_note();

  [[nodiscard]] explicit operator bool() const noexcept {
    return entry_.has_value();
  }

private:
  std::optional<std::uint32_t> entry_;
};

/// The handle table of a row: pieces of 4, 8, 16 KiB and so on, each an extent
/// of the row's own.
namespace handle_table {

/// The entries of the first piece; each further one has twice as many.
inline constexpr std::uint32_t first_chunk = 512;

struct place {
  std::uint32_t chunk;
  std::uint32_t index;
};

[[nodiscard]] place place_of(std::uint32_t entry) noexcept;

/// Calls `use(entry)` for each entry of the dead process of `row`.
void for_each(std::uint32_t row,
              void (*use)(void* context, std::atomic<object_id>& entry),
              void* context) noexcept;

/// Gives back the pieces of the dead process of `row`.
void free(std::uint32_t row) noexcept;

} // namespace handle_table

} // namespace troupe::memory
