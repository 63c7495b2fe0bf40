// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/state.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe::held {

/// What `held::list` and `held::array` do, where the elements are.
template <class T>
struct list_functions {
  using object = std::vector<T>;
  using difference = typename object::difference_type;

  static typename object::iterator place(object& in, std::size_t index) {
    if (index > in.size())
      throw std::out_of_range("index " + std::to_string(index)
                              + " in a list of " + std::to_string(in.size()));
    return in.begin() + static_cast<difference>(index);
  }

  static T at(const object& in, std::size_t index) {
    return in.at(index);
  }

  static T back(const object& in) {
    return in.at(in.size() - 1);
  }

  static void set(object& in, std::size_t index, T value) {
    in.at(index) = std::move(value);
  }

  static void add(object& in, std::size_t index, const T& value)
    requires requires(T& a) { a += value; }
  {
    in.at(index) += value;
  }

  static void subtract(object& in, std::size_t index, const T& value)
    requires requires(T& a) { a -= value; }
  {
    in.at(index) -= value;
  }

  static void push_back(object& in, T value) {
    in.push_back(std::move(value));
  }

  static void append(object& in, object values) {
    in.insert(in.end(), std::make_move_iterator(values.begin()),
              std::make_move_iterator(values.end()));
  }

  static T pop(object& in, std::size_t index) {
    T value = in.at(index);
    in.erase(in.begin() + static_cast<difference>(index));
    return value;
  }

  static T pop_back(object& in) {
    return pop(in, in.size() - 1);
  }

  static void insert(object& in, std::size_t index, T value) {
    in.insert(place(in, index), std::move(value));
  }

  static void insert_all(object& in, std::size_t index, object values) {
    in.insert(place(in, index), std::make_move_iterator(values.begin()),
              std::make_move_iterator(values.end()));
  }

  static void erase(object& in, std::size_t first, std::size_t last) {
    const auto begin = place(in, first);
    const auto end = place(in, last);
    if (last < first)
      throw std::out_of_range("a range that ends before it begins");
    in.erase(begin, end);
  }

  static bool remove(object& in, const T& value)
    requires std::equality_comparable<T>
  {
    const auto found = std::find(in.begin(), in.end(), value);
    if (found == in.end())
      return false;
    in.erase(found);
    return true;
  }

  static void clear(object& in) {
    in.clear();
  }

  static void resize(object& in, std::size_t count)
    requires std::default_initializable<T>
  {
    in.resize(count);
  }

  static std::size_t size(const object& in) {
    return in.size();
  }

  static object slice(const object& in, std::size_t first, std::size_t last,
                      std::size_t step) {
    last = std::min(last, in.size());
    object result;
    if (first < last && step == 1)
      return object(in.begin() + static_cast<difference>(first),
                    in.begin() + static_cast<difference>(last));
    for (auto i = first; i < last; i += std::min(step, last - i)) {
      if (step == 0)
        throw std::invalid_argument("a step of 0");
      result.push_back(in[i]);
    }
    return result;
  }

  static void assign_slice(object& in, std::size_t first, std::size_t last,
                           object values) {
    erase(in, first, last);
    insert_all(in, first, std::move(values));
  }

  /// The same without changing the size.
  static void overwrite(object& in, std::size_t first, const object& values) {
    if (first > in.size() || values.size() > in.size() - first)
      throw std::out_of_range("a slice that does not fit");
    std::copy(values.begin(), values.end(), place(in, first));
  }

  static void fill(object& in, const T& value) {
    std::fill(in.begin(), in.end(), value);
  }

  static std::optional<std::size_t> index_of(const object& in, const T& value)
    requires std::equality_comparable<T>
  {
    const auto found = std::find(in.begin(), in.end(), value);
    if (found == in.end())
      return std::nullopt;
    return static_cast<std::size_t>(found - in.begin());
  }

  static std::size_t count(const object& in, const T& value)
    requires std::equality_comparable<T>
  {
    return static_cast<std::size_t>(std::count(in.begin(), in.end(), value));
  }

  static void reverse(object& in) {
    std::reverse(in.begin(), in.end());
  }

  static void sort(object& in)
    requires requires(const T& a) { a < a; }
  {
    // Not std::stable_sort: it warns of itself where clang meets libstdc++ 12.
    std::vector<std::pair<T, std::size_t>> numbered;
    numbered.reserve(in.size());
    for (auto&& each : in)
      numbered.emplace_back(std::move(each), numbered.size());
    std::sort(numbered.begin(), numbered.end(),
              [](const auto& a, const auto& b) {
                if (a.first < b.first)
                  return true;
                return !(b.first < a.first) && a.second < b.second;
              });
    for (std::size_t i = 0; i < in.size(); ++i)
      in[i] = std::move(numbered[i].first);
  }

  static void offer() {
    using f = list_functions;
    state::offer<object, &f::at, &f::back, &f::set, &f::push_back, &f::append,
                 &f::pop, &f::pop_back, &f::insert, &f::insert_all, &f::erase,
                 &f::clear, &f::size, &f::slice, &f::assign_slice,
                 &f::overwrite, &f::fill, &f::reverse>();
    proxy<object>::offer_copies();
    if constexpr (requires(T& a, const T& b) { a += b; })
      state::offer<object, &f::add>();
    if constexpr (requires(T& a, const T& b) { a -= b; })
      state::offer<object, &f::subtract>();
    if constexpr (std::default_initializable<T>)
      state::offer<object, &f::resize>();
    if constexpr (std::equality_comparable<T>)
      state::offer<object, &f::remove, &f::index_of, &f::count>();
    if constexpr (requires(const T& a) { a < a; })
      state::offer<object, &f::sort>();
  }
};

} // namespace troupe::held
