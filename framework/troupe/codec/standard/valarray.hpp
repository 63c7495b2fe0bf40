// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/standard/sequence.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <vector>

namespace troupe::codec {

/// `std::valarray`, known by what it has.
template <class T>
concept value_array = requires(T& values) {
  typename T::value_type;
  values.cshift(1);
  values[0];
} && declared_in_std<T>;

/// As the other sequences: a count, 8 bytes, and the elements.
template <value_array T>
struct standard<T> {
  using element = typename T::value_type;
  using elements = sequence_coding<std::vector<element>>;
  using parts = type_list<element>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return elements::least();
  }

  static void save(encoder& to, const T& from) {
    to.count(from.size());
    if constexpr (flat<element>) {
      if (from.size() != 0)
        to.write_part(&from[0], from.size() * sizeof(element));
    } else {
      const encoder::level level{to, type_name<T>()};
      for (const auto& each : from)
        elements::template save_element<element>(to, each);
    }
  }

  static T load(decoder& from) {
    if constexpr (flat<element>) {
      const auto size = from.count(sizeof(element), type_name<T>());
      const auto* bytes = from.take(size * sizeof(element), type_name<T>());
      T result(size);
      if (size != 0)
        std::memcpy(static_cast<void*>(&result[0]), bytes,
                    size * sizeof(element));
      return result;
    } else {
      // One by one, so that a forged count costs no memory.
      auto loaded = elements::load(from);
      T result(loaded.size());
      std::ranges::move(loaded, std::begin(result));
      return result;
    }
  }
};

} // namespace troupe::codec
