// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

namespace troupe::held {

/// What `container[key]` is: one element in the state. Reading it is a call,
/// and so is assigning to it; `+=` and `-=` are one call, so that no update is
/// lost. Keep the element's value, not this.
template <class Container, class Key, class Value>
class element {
public:
  element(const Container& of, Key key) : of_(of), key_(std::move(key)) {
  }

  /// @blocks on the state
  [[nodiscard]] Value get() const {
    return of_.at(key_);
  }

  operator Value() const {
    return get();
  }

  const element& operator=(const Value& value) const {
    of_.set(key_, value);
    return *this;
  }

  element(const element&) = default;

  /// Copies the other element's value, as between references.
  element& operator=(const element& other) {
    of_.set(key_, other.get());
    return *this;
  }

  const element& operator+=(const Value& value) const {
    of_.add(key_, value);
    return *this;
  }

  const element& operator-=(const Value& value) const {
    of_.subtract(key_, value);
    return *this;
  }

  friend bool operator==(const element& a, const Value& b) {
    return a.get() == b;
  }

private:
  const Container& of_;
  Key key_;
};

} // namespace troupe::held
