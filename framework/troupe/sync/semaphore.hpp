// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/sync/semaphore_units.hpp>

#include <chrono>
#include <cstddef>
#include <limits>
#include <source_location>
#include <string>

namespace troupe {

/// Units that threads of all processes of a run take and give: Python's
/// `Semaphore`, with the names of `std::counting_semaphore`.
///
/// A handle: copies of it, in whatever process, mean the same units. Any thread
/// may release, whoever acquired.
///
/// # Order
/// First come, first served among those who sleep; a thread that runs may
/// overtake them, up to 64 times.
///
/// # What a crash leaves
/// The units that the dead process had taken and not released come back, and
/// those who wait for them go on; but the value never rises above the initial
/// one by that. So a semaphore that counts a resource heals, and one that
/// begins at 0 and signals events is not told of events that did not happen. A
/// process that destroys its last handle gives its units back in the same way.
class semaphore {
public:
  /// Throws `invalid_argument` (a negative count), `limit_reached`,
  /// `invalid_state`.
  explicit semaphore(std::ptrdiff_t initial = 1,
                     std::source_location made_at
                     = std::source_location::current())
    : semaphore(initial, std::numeric_limits<std::ptrdiff_t>::max(), made_at) {
  }

  /// @blocks on whoever has the units
  void acquire() const;

  /// Returns false if no unit is free, or one is due to who waits.
  [[nodiscard]] bool try_acquire() const;

  /// @blocks on whoever has the units, until `limit`
  template <class Rep, class Period>
  [[nodiscard]] bool
  try_acquire_for(const std::chrono::duration<Rep, Period>& limit) const {
    return acquire_before(deadline::after(limit));
  }

  /// @blocks on whoever has the units, until `limit`
  template <class Clock, class Duration>
  [[nodiscard]] bool try_acquire_until(
    const std::chrono::time_point<Clock, Duration>& limit) const {
    return acquire_before(deadline::at(limit));
  }

  /// Throws `invalid_argument` if `units` is negative, `invalid_state` if there
  /// would be more than the bound.
  void release(std::ptrdiff_t units = 1) const;

  /// Units that are free, now: Python's `get_value`.
  [[nodiscard]] std::ptrdiff_t value() const noexcept {
    return units_->value();
  }

  void save(codec::encoder& to) const {
    to.handle(object_);
  }

  [[nodiscard]] static semaphore load(codec::decoder& from) {
    return semaphore{from};
  }

  [[nodiscard]] sync::semaphore_units& units() const noexcept {
    return *units_;
  }

  [[nodiscard]] memory::object_id id() const noexcept {
    return object_.id();
  }

  friend bool operator==(const semaphore& a, const semaphore& b) noexcept {
    return a.object_ == b.object_;
  }

protected:
  semaphore(std::ptrdiff_t initial, std::ptrdiff_t bound,
            std::source_location made_at);

  explicit semaphore(codec::decoder& from);

private:
  [[nodiscard]] bool acquire_before(deadline limit) const;

  [[nodiscard]] std::string text() const;

  memory::reference object_;
  sync::semaphore_units* units_;
};

/// A semaphore that refuses to be released above where it began: Python's
/// `BoundedSemaphore`.
class bounded_semaphore : public semaphore {
public:
  explicit bounded_semaphore(std::ptrdiff_t initial = 1,
                             std::source_location made_at
                             = std::source_location::current())
    : semaphore(initial, initial, made_at) {
  }

  [[nodiscard]] static bounded_semaphore load(codec::decoder& from) {
    return bounded_semaphore{from};
  }

private:
  explicit bounded_semaphore(codec::decoder& from) : semaphore(from) {
  }
};

} // namespace troupe
