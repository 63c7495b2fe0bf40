// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/element.hpp>
#include <troupe/state/list_functions.hpp>
#include <troupe/state/snapshot_iterator.hpp>
#include <troupe/state/state.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

namespace troupe::held {

/// A list that a state holds: Python's `manager.list()`, a `std::vector<T>`.
///
///     auto records = state.make<held::list<record>>(
///       std::vector<record>{{"Sam", 10}, {"Adam", 9}});
///     records.push_back({"Jeff", 8});
///
/// Each function is one call. A `for` over it, and the slices, see a copy that
/// was made in one piece. An index that is not there is a `remote_error` of
/// type `std::out_of_range`, as what else the vector throws.
template <class T>
class list : public proxy<std::vector<T>> {
  using base = proxy<std::vector<T>>;
  using functions = list_functions<T>;

public:
  using value_type = T;
  using reference = element<list, std::size_t, T>;
  using iterator = snapshot_iterator<std::vector<T>>;

  explicit list(base object) noexcept : base(std::move(object)) {
  }

  // Elements -----------------------------------------------------------------

  [[nodiscard]] T at(std::size_t index) const {
    return this->template call<&functions::at>(index);
  }

  [[nodiscard]] reference operator[](std::size_t index) const {
    return {*this, index};
  }

  [[nodiscard]] T front() const {
    return at(0);
  }

  [[nodiscard]] T back() const {
    return this->template call<&functions::back>();
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

  // Growing and shrinking ----------------------------------------------------

  void push_back(const T& value) const {
    this->template call<&functions::push_back>(value);
  }

  /// Appends all elements in one call: nobody's stand between them.
  template <std::ranges::input_range Values>
    requires std::convertible_to<std::ranges::range_reference_t<Values>, T>
  void append_range(Values&& values) const {
    this->template call<&functions::append>(collect(values));
  }

  /// Takes the last element away and returns it.
  T pop_back() const {
    return this->template call<&functions::pop_back>();
  }

  /// Takes the element at `index` away and returns it.
  T pop(std::size_t index) const {
    return this->template call<&functions::pop>(index);
  }

  void insert(std::size_t index, const T& value) const {
    this->template call<&functions::insert>(index, value);
  }

  template <std::ranges::input_range Values>
    requires std::convertible_to<std::ranges::range_reference_t<Values>, T>
  void insert_range(std::size_t index, Values&& values) const {
    this->template call<&functions::insert_all>(index, collect(values));
  }

  void erase(std::size_t index) const {
    this->template call<&functions::erase>(index, index + 1);
  }

  void erase(std::size_t first, std::size_t last) const {
    this->template call<&functions::erase>(first, last);
  }

  /// Takes the first element equal to `value` away. False if there is none.
  bool remove(const T& value) const {
    return this->template call<&functions::remove>(value);
  }

  void clear() const {
    this->template call<&functions::clear>();
  }

  void resize(std::size_t count) const {
    this->template call<&functions::resize>(count);
  }

  // The whole ----------------------------------------------------------------

  [[nodiscard]] std::size_t size() const {
    return this->template call<&functions::size>();
  }

  [[nodiscard]] bool empty() const {
    return size() == 0;
  }

  /// Copies `[first, last)`, or what there is of it, each `step`-th element.
  [[nodiscard]] std::vector<T> slice(std::size_t first, std::size_t last,
                                     std::size_t step = 1) const {
    return this->template call<&functions::slice>(first, last, step);
  }

  /// Puts `values` in the place of `[first, last)`, whatever their number.
  template <std::ranges::input_range Values>
    requires std::convertible_to<std::ranges::range_reference_t<Values>, T>
  void
  assign_slice(std::size_t first, std::size_t last, Values&& values) const {
    this->template call<&functions::assign_slice>(first, last, collect(values));
  }

  /// Where the first element equal to `value` stands.
  [[nodiscard]] std::optional<std::size_t> index_of(const T& value) const {
    return this->template call<&functions::index_of>(value);
  }

  [[nodiscard]] bool contains(const T& value) const {
    return index_of(value).has_value();
  }

  [[nodiscard]] std::size_t count(const T& value) const {
    return this->template call<&functions::count>(value);
  }

  void reverse() const {
    this->template call<&functions::reverse>();
  }

  /// Sorts with `<`, keeping the order of equal elements.
  void sort() const {
    this->template call<&functions::sort>();
  }

  /// Iterates over a copy of now.
  [[nodiscard]] iterator begin() const {
    return iterator{this->snapshot()};
  }

  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }

  [[nodiscard]] static list load(codec::decoder& from) {
    return list{base::load(from)};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    functions::offer();
  }

private:
  template <class Values>
  static std::vector<T> collect(Values&& values) {
    std::vector<T> all;
    if constexpr (std::ranges::sized_range<Values>)
      all.reserve(std::ranges::size(values));
    for (auto&& each : values)
      all.push_back(std::forward<decltype(each)>(each));
    return all;
  }
};

} // namespace troupe::held
