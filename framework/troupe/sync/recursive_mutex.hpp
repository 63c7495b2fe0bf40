// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/sync/lock_handle.hpp>

#include <source_location>

namespace troupe {

/// A `mutex` that its owner may lock again: Python's `RLock`.
///
/// It is free when it was unlocked as often as it was locked. All else is as
/// with `mutex`; however often a dead owner had locked it, its next owner has
/// it once.
class recursive_mutex : public sync::lock_handle {
public:
  /// A new lock, free. Throws `limit_reached`, `invalid_state`.
  /// Who looks at the run is shown where it was made.
  recursive_mutex(std::source_location made_at
                  = std::source_location::current())
    : lock_handle(true) {
    memory::note_origin(object_, made_at);
  }

  /// @blocks on the owner, unless that is the calling thread
  void lock() const {
    static_cast<void>(take_before(deadline::never()));
  }

  /// Returns false if another thread holds it.
  [[nodiscard]] bool try_lock() const {
    return take_before(deadline::now());
  }

  /// @blocks on the owner, until `limit`
  template <class Rep, class Period>
  [[nodiscard]] bool
  try_lock_for(const std::chrono::duration<Rep, Period>& limit) const {
    return take_before(deadline::after(limit));
  }

  /// @blocks on the owner, until `limit`
  template <class Clock, class Duration>
  [[nodiscard]] bool
  try_lock_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return take_before(deadline::at(limit));
  }

  /// Throws `not_owner`, and says who the owner is.
  void unlock() const {
    const auto me = sync::owner::this_thread();
    if (word_->holder() != me) [[unlikely]]
      refuse_unlock();
    const auto depth = word_->depth();
    word_->set_depth(depth - 1);
    if (depth == 1)
      static_cast<void>(word_->give_back(me));
  }

  /// For the owner: how often it has locked it. 0 for everybody else.
  [[nodiscard]] std::uint32_t depth() const {
    return is_mine() ? word_->depth() : 0;
  }

  [[nodiscard]] static recursive_mutex load(codec::decoder& from) {
    return recursive_mutex{from};
  }

private:
  explicit recursive_mutex(codec::decoder& from) : lock_handle(from, true) {
  }
};

} // namespace troupe
