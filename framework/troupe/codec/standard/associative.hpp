// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/standard/sequence.hpp>

#include <map>
#include <set>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>

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

template <class K, class Less, class A>
struct standard<std::set<K, Less, A>>
  : associative_coding<std::set<K, Less, A>, Less> {};

template <class K, class Less, class A>
struct standard<std::multiset<K, Less, A>>
  : associative_coding<std::multiset<K, Less, A>, Less> {};

template <class K, class V, class Less, class A>
struct standard<std::map<K, V, Less, A>>
  : associative_coding<std::map<K, V, Less, A>, Less> {};

template <class K, class V, class Less, class A>
struct standard<std::multimap<K, V, Less, A>>
  : associative_coding<std::multimap<K, V, Less, A>, Less> {};

template <class K, class Hash, class Equal, class A>
struct standard<std::unordered_set<K, Hash, Equal, A>>
  : associative_coding<std::unordered_set<K, Hash, Equal, A>, Hash, Equal> {};

template <class K, class Hash, class Equal, class A>
struct standard<std::unordered_multiset<K, Hash, Equal, A>>
  : associative_coding<std::unordered_multiset<K, Hash, Equal, A>, Hash,
                       Equal> {};

template <class K, class V, class Hash, class Equal, class A>
struct standard<std::unordered_map<K, V, Hash, Equal, A>>
  : associative_coding<std::unordered_map<K, V, Hash, Equal, A>, Hash, Equal> {
};

template <class K, class V, class Hash, class Equal, class A>
struct standard<std::unordered_multimap<K, V, Hash, Equal, A>>
  : associative_coding<std::unordered_multimap<K, V, Hash, Equal, A>, Hash,
                       Equal> {};

} // namespace troupe::codec
