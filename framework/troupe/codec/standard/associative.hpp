// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/standard/sequence.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace troupe::codec {

/// What sets and maps have in common: a count, 8 bytes, and the elements in
/// the container's order. A repeated key is malformed where it must be unique.
///
/// `Rules` are the comparison, or hash and equality: they must be stateless,
/// because they do not travel.
///
/// A map or set of another library with the functions of these travels so too:
///
///     template <class K, class V>
///     struct troupe::codec::coding<their::map<K, V>>
///       : troupe::codec::associative_coding<their::map<K, V>, std::hash<K>,
///                                           std::equal_to<K>> {};
template <class Container, class... Rules>
struct associative_coding {
  using key = typename Container::key_type;

  static constexpr bool known
    = ((std::is_empty_v<Rules> && std::is_default_constructible_v<Rules>)
       && ...);
  static constexpr bool flat_if_parts = false;
  static constexpr bool is_map = requires { typename Container::mapped_type; };

  template <class C>
  struct parts_of {
    using type = type_list<key>;
  };
  template <class C>
    requires requires { typename C::mapped_type; }
  struct parts_of<C> {
    using type = type_list<key, typename C::mapped_type>;
  };
  using parts = typename parts_of<Container>::type;

  static consteval std::size_t least() {
    return sizeof(std::uint64_t);
  }

  static void save(encoder& to, const Container& from) {
    using each_of = sequence_coding<Container>;
    const encoder::level level{to, type_name<Container>()};
    to.count(from.size());
    for (const auto& each : from) {
      if constexpr (is_map) {
        each_of::save_element(to, each.first);
        to.save(each.second);
      } else {
        each_of::save_element(to, each);
      }
    }
  }

  static Container load(decoder& from) {
    using each_of = sequence_coding<Container>;
    const decoder::level level{from, type_name<Container>()};
    Container result;
    const auto size = from.count(std::max<std::size_t>(1, least_size<key>),
                                 type_name<Container>());
    for (std::size_t i = 0; i < size; ++i) {
      auto loaded = each_of::template load_element<key>(from);
      if constexpr (is_map) {
        using mapped = typename Container::mapped_type;
        result.emplace_hint(result.end(), std::move(loaded),
                            from.load<mapped>());
      } else {
        result.emplace_hint(result.end(), std::move(loaded));
      }
      if (result.size() != i + 1)
        from.refuse(type_name<Container>(), "a key stands there twice");
    }
    return result;
  }
};

/// The ordered sets and maps of the standard library, known by what they have.
template <class T>
concept ordered_associative = requires {
  typename T::key_type;
  typename T::key_compare;
} && declared_in_std<T>;

template <ordered_associative T>
struct standard<T> : associative_coding<T, typename T::key_compare> {};

/// Those with a hash table.
template <class T>
concept unordered_associative = requires {
  typename T::key_type;
  typename T::hasher;
  typename T::key_equal;
} && declared_in_std<T>;

template <unordered_associative T>
struct standard<T>
  : associative_coding<T, typename T::hasher, typename T::key_equal> {};

} // namespace troupe::codec
