// SPDX-License-Identifier: BSL-1.0
#pragma once

//[header
#include <troupe/shared/value.hpp>

#include <cstdint>

namespace troupe {

/// The greatest number that any process of the run has reported: how full a
/// queue was, how long a task took.
///
/// A handle: copies of it, in whatever process, mean the same mark.
///
/// # What a crash leaves
/// The greatest number that was reported before: a report is one step.
///
/// Any thread may use a handle that no other thread assigns to.
class high_water_mark {
public:
  /// A new mark. Throws `limit_reached`, `invalid_state`.
  explicit high_water_mark(std::int64_t start = 0);

  /// Raises the mark if `number` is greater, and returns whether it was. Does
  /// not block.
  bool report(std::int64_t number) const noexcept;

  /// Returns the greatest number that was reported, or the start.
  [[nodiscard]] std::int64_t highest() const noexcept;

  void save(codec::encoder& to) const;

  [[nodiscard]] static high_water_mark load(codec::decoder& from);

private:
  explicit high_water_mark(value<std::int64_t> highest) noexcept;

  value<std::int64_t> highest_;
};

} // namespace troupe
//]
