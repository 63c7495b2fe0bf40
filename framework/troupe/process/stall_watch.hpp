// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <memory>

namespace troupe {

namespace hosting {

/// What watches a run from its begin to its end, in its root.
class stall_watch {
public:
  stall_watch() = default;
  stall_watch(const stall_watch&) = delete;
  stall_watch& operator=(const stall_watch&) = delete;
  virtual ~stall_watch() = default;
};

/// Begins to say on standard error when something of the run has stood still
/// for so long. Defined in inspection/, above this layer: see `stall_delay`.
/// Throws `os_failure` (no thread).
[[nodiscard]] std::unique_ptr<stall_watch>
begin_stall_watch(std::chrono::nanoseconds after);

} // namespace hosting

/// How long something may stand still before that is said, or that it is not
/// said at all. Any duration converts to it.
///
/// It brings along what looks for it: a program that gives no duration is not
/// even linked with that.
class stall_delay {
public:
  /// Nothing is said.
  constexpr stall_delay() noexcept = default;

  template <class Rep, class Period>
  stall_delay(std::chrono::duration<Rep, Period>
                after) // NOLINT(google-explicit-constructor)
    : after_(std::chrono::ceil<std::chrono::nanoseconds>(after)),
      begin_(&hosting::begin_stall_watch) {
  }

  /// Begins to watch; nullptr where nothing is to be said.
  [[nodiscard]] std::unique_ptr<hosting::stall_watch> begin() const {
    return begin_ == nullptr ? nullptr : begin_(after_);
  }

private:
  std::chrono::nanoseconds after_{0};
  std::unique_ptr<hosting::stall_watch> (*begin_)(std::chrono::nanoseconds)
    = nullptr;
};

} // namespace troupe
