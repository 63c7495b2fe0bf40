// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/narrowing.hpp>
#include <troupe/state/sequence.hpp>

#include <concepts>
#include <cstddef>
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
class list : public sequence<list<T>, T> {
  using base = sequence<list, T>;
  using functions = list_functions<T>;

public:
  explicit list(proxy<std::vector<T>> object) noexcept
    : base(std::move(object)) {
  }

  // Elements -----------------------------------------------------------------

  [[nodiscard]] T front() const {
    return this->at(0);
  }

  [[nodiscard]] T back() const {
    return this->template call<&functions::back>();
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

  [[nodiscard]] bool empty() const {
    return this->size() == 0;
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

  [[nodiscard]] static list load(codec::decoder& from) {
    return list{proxy<std::vector<T>>::load(from)};
  }

private:
  template <class Values>
  static std::vector<T> collect(Values&& values) {
    codec::require_kept_value<std::ranges::range_reference_t<Values>, T>();
    std::vector<T> all;
    if constexpr (std::ranges::sized_range<Values>)
      all.reserve(std::ranges::size(values));
    for (auto&& each : values)
      all.push_back(std::forward<decltype(each)>(each));
    return all;
  }
};

} // namespace troupe::held

// What is read is a copy, which may have another size than the object now.
template <class T>
inline constexpr bool std::ranges::disable_sized_range<troupe::held::list<T>>
  = true;
