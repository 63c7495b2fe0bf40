// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/element.hpp>
#include <troupe/state/list_functions.hpp>
#include <troupe/state/snapshot_iterator.hpp>
#include <troupe/state/state.hpp>

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace troupe::held {

/// What `list` and `array` have in common: elements that are found by their
/// index. `Proxy` is the one of the two. An index that is not there is a
/// `remote_error` of type `std::out_of_range`.
template <class Proxy, class T>
class sequence : public proxy<std::vector<T>> {
  using functions = list_functions<T>;

public:
  using value_type = T;
  using reference = element<Proxy, std::size_t, T>;
  using iterator = snapshot_iterator<std::vector<T>>;

  [[nodiscard]] T at(std::size_t index) const {
    return this->template call<&functions::at>(index);
  }

  [[nodiscard]] reference operator[](std::size_t index) const {
    return {static_cast<const Proxy&>(*this), index};
  }

  void set(std::size_t index, const T& value) const {
    this->template call<&functions::set>(index, value);
  }

  /// Adds to an element in one step.
  void add(std::size_t index, const T& value) const {
    this->template call<&functions::add>(index, value);
  }

  void subtract(std::size_t index, const T& value) const {
    this->template call<&functions::subtract>(index, value);
  }

  [[nodiscard]] std::size_t size() const {
    return this->template call<&functions::size>();
  }

  /// Copies `[first, last)`, or what there is of it, each `step`-th element.
  [[nodiscard]] std::vector<T> slice(std::size_t first, std::size_t last,
                                     std::size_t step = 1) const {
    return this->template call<&functions::slice>(first, last, step);
  }

  /// Iterates over a copy of now.
  [[nodiscard]] iterator begin() const {
    return iterator{this->snapshot()};
  }

  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    functions::offer();
  }

protected:
  explicit sequence(proxy<std::vector<T>> object) noexcept
    : proxy<std::vector<T>>(std::move(object)) {
  }
};

} // namespace troupe::held
