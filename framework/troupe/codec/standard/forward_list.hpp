// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/standard/sequence.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace troupe::codec {

/// `std::forward_list`, known by what it has.
template <class T>
concept forward_sequence = requires(T& list) {
  typename T::value_type;
  list.insert_after(list.before_begin(), list.front());
} && declared_in_std<T>;

/// As the other sequences: a count, 8 bytes, and the elements.
template <forward_sequence T>
struct standard<T> {
  using element = typename T::value_type;
  using elements = sequence_coding<T>;
  using parts = type_list<element>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return elements::least();
  }

  static void save(encoder& to, const T& from) {
    const encoder::level level{to, type_name<T>()};
    to.count(static_cast<std::size_t>(std::distance(from.begin(), from.end())));
    for (const auto& each : from)
      elements::template save_element<element>(to, each);
  }

  static T load(decoder& from) {
    const decoder::level level{from, type_name<T>()};
    T result;
    auto last = result.before_begin();
    auto left = from.count(std::max<std::size_t>(1, least_size<element>),
                           type_name<T>());
    for (; left != 0; --left)
      last = result.insert_after(last, elements::template load_element<element>(
                                         from));
    return result;
  }
};

} // namespace troupe::codec
