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

/// An array that a state holds, whose size does not change: Python's
/// `manager.Array()`. Where all clients are in one run, `troupe::array` is a
/// hundred times faster.
///
///     auto squares = state.make<held::array<int>>(std::vector<int>(100));
template <class T>
class array : public proxy<std::vector<T>> {
  using functions = list_functions<T>;
  using base = proxy<std::vector<T>>;

public:
  using value_type = T;
  using reference = element<array, std::size_t, T>;
  using iterator = snapshot_iterator<std::vector<T>>;

  explicit array(base object) noexcept : base(std::move(object)) {
  }

  [[nodiscard]] T at(std::size_t index) const {
    return this->template call<&functions::at>(index);
  }

  [[nodiscard]] reference operator[](std::size_t index) const {
    return {*this, index};
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

  void fill(const T& value) const {
    this->template call<&functions::fill>(value);
  }

  [[nodiscard]] std::size_t size() const {
    return this->template call<&functions::size>();
  }

  /// Copies `[first, last)`, or what there is of it, each `step`-th element.
  [[nodiscard]] std::vector<T> slice(std::size_t first, std::size_t last,
                                     std::size_t step = 1) const {
    return this->template call<&functions::slice>(first, last, step);
  }

  /// Writes `values` from `first` on. They must fit.
  void assign_slice(std::size_t first, const std::vector<T>& values) const {
    this->template call<&functions::overwrite>(first, values);
  }

  /// Iterates over a copy of now.
  [[nodiscard]] iterator begin() const {
    return iterator{this->snapshot()};
  }

  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }

  [[nodiscard]] static array load(codec::decoder& from) {
    return array{base::load(from)};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    functions::offer();
  }
};

} // namespace troupe::held
