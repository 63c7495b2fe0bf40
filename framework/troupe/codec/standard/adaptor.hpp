// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace troupe::codec {

/// `std::queue`, `stack` and `priority_queue`, known by what they have.
template <class T>
concept container_adaptor = requires(T& adaptor) {
  typename T::container_type;
  adaptor.pop();
  adaptor.size();
} && declared_in_std<T>;

/// Sent as the container inside. A `priority_queue` arrives as a heap, whatever
/// the bytes are; its comparison must be stateless, because it does not travel.
template <container_adaptor T>
struct standard<T> {
  using container = typename T::container_type;
  using parts = type_list<container>;

  static constexpr bool known = [] {
    if constexpr (requires { typename T::value_compare; })
      return std::is_empty_v<typename T::value_compare>
             && std::is_default_constructible_v<typename T::value_compare>;
    else
      return true;
  }();
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return least_size<container>;
  }

  static void save(encoder& to, const T& from) {
    // The container is a protected member, by the standard's own words.
    struct opened : T {
      static const container& inside(const T& adaptor) {
        return adaptor.*(&opened::c);
      }
    };
    to.save<container>(opened::inside(from));
  }

  static T load(decoder& from) {
    if constexpr (requires { typename T::value_compare; })
      return T{typename T::value_compare{}, from.load<container>()};
    else
      return T{from.load<container>()};
  }
};

} // namespace troupe::codec
