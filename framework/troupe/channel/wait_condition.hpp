// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>

#include <concepts>
#include <memory>

namespace troupe {

/// Something that can be waited for beside others: what a type of a layer above
/// gives `wait_any` so that it counts among its sources.
///
/// A wait calls `begin`; then `ready` until that is true; before it sleeps,
/// `watch`, and `ready` once more; at its end `unwatch`. All by one thread, but
/// several conditions may be for the same thing at the same time.
class wait_condition {
public:
  wait_condition() = default;
  wait_condition(const wait_condition&) = delete;
  wait_condition& operator=(const wait_condition&) = delete;
  virtual ~wait_condition() = default;

  /// A wait begins, or another one.
  virtual void begin() {
  }

  /// Looks, and waits for nobody. True also where the use would fail at once:
  /// whoever uses it then is told why.
  [[nodiscard]] virtual bool ready() = 0;

  /// The same for a wait that lasts no time: may ask who knows, and wait for
  /// the answer.
  [[nodiscard]] virtual bool ready_now() {
    return ready();
  }

  /// From now on the calling process is notified (`memory::notify`) each time
  /// that `ready` may have become true.
  virtual void watch() = 0;
  virtual void unwatch() noexcept = 0;

  /// When to call `ready` though there was no notification.
  [[nodiscard]] virtual deadline look_again() const {
    return deadline::never();
  }
};

/// A type that says how to wait for it. Null: there is nothing to wait for, as
/// in a future that has given its result; that is never ready.
template <class T>
concept waitable = requires(const T& from) {
  { from.when_ready() } -> std::convertible_to<std::shared_ptr<wait_condition>>;
};

} // namespace troupe
