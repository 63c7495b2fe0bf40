// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/codec.hpp>
#include <troupe/sync/recursive_mutex.hpp>

#include <concepts>
#include <functional>
#include <mutex>
#include <utility>

namespace troupe {

/// Something shared, and the lock that guards it: what Python's `Value` and
/// `Array` are with `lock=True`.
///
///     troupe::locked total{troupe::value<int>{0}};
///     {
///       std::scoped_lock guard{total.get_lock()};
///       total.get_obj() = total.get_obj() + 1;
///     }
///     total.with([](troupe::value<int>& each) { each = each + 1; });
///
/// A handle, like what it is made of: copies, in whatever process, mean the
/// same object and the same lock. `get_obj` does not lock, so that several
/// steps can stand under one lock.
///
/// # What a crash leaves
/// A free lock, and the object as the dead process left it; `with` says so to a
/// function that takes a `grant` as well.
template <class Object, class Lock = recursive_mutex>
class locked {
public:
  /// The object with a lock of its own. Throws `limit_reached`.
  explicit locked(Object object) : object_(std::move(object)) {
  }

  /// The object with a given lock, which may guard others too.
  locked(Object object, Lock lock)
    : object_(std::move(object)), lock_(std::move(lock)) {
  }

  [[nodiscard]] const Lock& get_lock() const noexcept {
    return lock_;
  }

  [[nodiscard]] Object& get_obj() noexcept {
    return object_;
  }

  [[nodiscard]] const Object& get_obj() const noexcept {
    return object_;
  }

  /// Calls `step` with the object, and the `grant` if it wants that, under the
  /// lock. Returns what it returns.
  /// @blocks on who holds the lock
  template <class Step>
    requires std::invocable<Step, Object&>
             || std::invocable<Step, Object&, const grant&>
  decltype(auto) with(Step step) {
    const auto granted = lock_.acquire();
    const std::unique_lock<const Lock> guard{lock_, std::adopt_lock};
    if constexpr (std::invocable<Step, Object&, const grant&>)
      return std::invoke(step, object_, granted);
    else
      return std::invoke(step, object_);
  }

  void save(codec::encoder& to) const {
    to.save(object_);
    to.save(lock_);
  }

  [[nodiscard]] static locked load(codec::decoder& from) {
    auto object = from.load<Object>();
    return locked{std::move(object), from.load<Lock>()};
  }

private:
  Object object_;
  Lock lock_;
};

} // namespace troupe
