// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/state.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::held {

template <class K>
concept hashable = requires(const K& key) {
  { std::hash<K>{}(key) } -> std::convertible_to<std::size_t>;
};

/// What holds the entries of a `held::dict<K, V>`.
template <class K, class V>
using dict_map
  = std::conditional_t<hashable<K>, std::unordered_map<K, V>, std::map<K, V>>;

/// What `held::dict` does, where the entries are.
template <class K, class V, class Map = dict_map<K, V>>
struct dict_functions {
  static_assert(std::is_same_v<typename Map::key_type, K>
                  && std::is_same_v<typename Map::mapped_type, V>,
                "the map of a held::dict<K, V, Map> maps K to V");
  using object = Map;
  using entries = std::vector<std::pair<K, V>>;

  [[noreturn]] static void throw_missing() {
    throw std::out_of_range("no such key in the dict");
  }

  /// Some maps with open addressing show a const pair, and the value by name.
  static V& value_of(typename object::iterator entry) {
    if constexpr (requires {
                    { entry.value() } -> std::same_as<V&>;
                  })
      return entry.value();
    else
      return entry->second;
  }

  static V& existing(object& in, const K& key) {
    const auto found = in.find(key);
    if (found == in.end())
      throw_missing();
    return value_of(found);
  }

  static V at(const object& in, const K& key) {
    const auto found = in.find(key);
    if (found == in.end())
      throw_missing();
    return found->second;
  }

  static std::optional<V> get(const object& in, const K& key) {
    const auto found = in.find(key);
    if (found == in.end())
      return std::nullopt;
    return found->second;
  }

  static std::vector<std::optional<V>> get_many(const object& in,
                                                const std::vector<K>& keys) {
    std::vector<std::optional<V>> result;
    result.reserve(keys.size());
    for (const auto& each : keys)
      result.push_back(get(in, each));
    return result;
  }

  static void set(object& in, K key, V value) {
    in.insert_or_assign(std::move(key), std::move(value));
  }

  static void set_many(object& in, entries all) {
    for (auto& [key, value] : all)
      in.insert_or_assign(std::move(key), std::move(value));
  }

  static bool insert(object& in, K key, V value) {
    return in.try_emplace(std::move(key), std::move(value)).second;
  }

  static V get_or_insert(object& in, K key, V value) {
    return value_of(in.try_emplace(std::move(key), std::move(value)).first);
  }

  static void add(object& in, const K& key, const V& value)
    requires requires(V& a) { a += value; }
  {
    existing(in, key) += value;
  }

  static void subtract(object& in, const K& key, const V& value)
    requires requires(V& a) { a -= value; }
  {
    existing(in, key) -= value;
  }

  static V add_or_insert(object& in, K key, const V& value)
    requires requires(V& a) { a += value; } && std::default_initializable<V>
  {
    auto& sum = value_of(in.try_emplace(std::move(key)).first);
    sum += value;
    return sum;
  }

  static void add_or_insert_many(object& in, entries all)
    requires requires(V& a, const V& b) { a += b; }
             && std::default_initializable<V>
  {
    for (auto& [key, value] : all)
      value_of(in.try_emplace(std::move(key)).first) += value;
  }

  static bool erase(object& in, const K& key) {
    return in.erase(key) != 0;
  }

  static std::size_t erase_many(object& in, const std::vector<K>& keys) {
    std::size_t count = 0;
    for (const auto& each : keys)
      count += in.erase(each);
    return count;
  }

  static std::optional<V> pop(object& in, const K& key) {
    const auto found = in.find(key);
    if (found == in.end())
      return std::nullopt;
    std::optional<V> result{std::move(value_of(found))};
    in.erase(found);
    return result;
  }

  static std::optional<std::pair<K, V>> pop_any(object& in) {
    if (in.empty())
      return std::nullopt;
    const auto first = in.begin();
    std::optional<std::pair<K, V>> result{std::in_place, first->first,
                                          std::move(value_of(first))};
    in.erase(first);
    return result;
  }

  static bool contains(const object& in, const K& key) {
    return in.contains(key);
  }

  static std::size_t size(const object& in) {
    return in.size();
  }

  static void clear(object& in) {
    in.clear();
  }

  static std::vector<K> keys(const object& in) {
    std::vector<K> result;
    result.reserve(in.size());
    for (const auto& [key, value] : in)
      result.push_back(key);
    return result;
  }

  static std::vector<V> values(const object& in) {
    std::vector<V> result;
    result.reserve(in.size());
    for (const auto& [key, value] : in)
      result.push_back(value);
    return result;
  }

  static void offer() {
    using f = dict_functions;
    state::offer<object, &f::at, &f::get, &f::get_many, &f::set, &f::set_many,
                 &f::insert, &f::get_or_insert, &f::erase, &f::erase_many,
                 &f::pop, &f::pop_any, &f::contains, &f::size, &f::clear,
                 &f::keys, &f::values>();
    proxy<object>::offer_copies();
    if constexpr (requires(V& a, const V& b) { a += b; })
      state::offer<object, &f::add>();
    if constexpr (requires(V& a, const V& b) { a += b; }
                  && std::default_initializable<V>)
      state::offer<object, &f::add_or_insert, &f::add_or_insert_many>();
    if constexpr (requires(V& a, const V& b) { a -= b; })
      state::offer<object, &f::subtract>();
  }
};

} // namespace troupe::held
