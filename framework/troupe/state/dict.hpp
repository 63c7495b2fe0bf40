// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/narrowing.hpp>
#include <troupe/state/dict_functions.hpp>
#include <troupe/state/element.hpp>
#include <troupe/state/snapshot_iterator.hpp>
#include <troupe/state/state.hpp>

#include <cstddef>
#include <iterator>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

namespace troupe::held {

/// A dictionary that a state holds: Python's `manager.dict()`, a
/// `std::unordered_map<K, V>`, or a `std::map` where `K` has no `std::hash`.
///
///     auto scores = state.make<held::dict<std::string, int>>();
///     scores["Sam"] = 10;
///     scores["Sam"] += 1;                 // one step: no update is lost
///     scores.add_or_insert("Adam", 1);    // the same, and begins at zero
///     const int score = scores["Sam"];
///
/// Each function is one call, also those for many keys. A `for` over it sees a
/// copy that was made in one piece. A key that is not there is a
/// `remote_error` of type `std::out_of_range` in `at`, `[]` and `+=`.
///
/// `Map` may be another with the functions of those: a `std::map<K, V>` for
/// keys in order, or one with open addressing, which finds a key among a
/// million faster (docs/performance.md). One of another library needs a
/// `coding`, which is one line: see `codec::associative_coding`.
template <class K, class V, class Map = dict_map<K, V>>
class dict : public proxy<Map> {
  using functions = dict_functions<K, V, Map>;
  using base = proxy<Map>;

public:
  using key_type = K;
  using mapped_type = V;
  using value_type = typename Map::value_type;
  using reference = element<dict, K, V>;
  using iterator = snapshot_iterator<Map>;

  explicit dict(base object) noexcept : base(std::move(object)) {
  }

  // One key ------------------------------------------------------------------

  [[nodiscard]] V at(const K& key) const {
    return this->template call<&functions::at>(key);
  }

  [[nodiscard]] reference operator[](const K& key) const {
    return {*this, key};
  }

  [[nodiscard]] std::optional<V> get(const K& key) const {
    return this->template call<&functions::get>(key);
  }

  [[nodiscard]] V get(const K& key, V otherwise) const {
    auto found = get(key);
    return found ? std::move(*found) : std::move(otherwise);
  }

  [[nodiscard]] bool contains(const K& key) const {
    return this->template call<&functions::contains>(key);
  }

  /// Inserts, or assigns where the key is there.
  void set(const K& key, const V& value) const {
    this->template call<&functions::set>(key, value);
  }

  /// Inserts where the key is not there. Returns whether it did.
  bool insert(const K& key, const V& value) const {
    return this->template call<&functions::insert>(key, value);
  }

  /// Inserts where the key is not there, and returns what is there then.
  V get_or_insert(const K& key, const V& value) const {
    return this->template call<&functions::get_or_insert>(key, value);
  }

  /// Adds to a value in one step, which begins as `V{}` where the key is not
  /// there, and returns the sum: a counter.
  V add_or_insert(const K& key, const V& value) const {
    return this->template call<&functions::add_or_insert>(key, value);
  }

  /// Adds to a value in one step.
  void add(const K& key, const V& value) const {
    this->template call<&functions::add>(key, value);
  }

  void subtract(const K& key, const V& value) const {
    this->template call<&functions::subtract>(key, value);
  }

  /// Returns whether it was there.
  bool erase(const K& key) const {
    return this->template call<&functions::erase>(key);
  }

  /// Takes an entry away and returns its value, if it was there.
  std::optional<V> pop(const K& key) const {
    return this->template call<&functions::pop>(key);
  }

  /// Takes some entry away and returns it; nothing if there is none.
  std::optional<std::pair<K, V>> pop_any() const {
    return this->template call<&functions::pop_any>();
  }

  // Many keys ----------------------------------------------------------------

  [[nodiscard]] std::vector<std::optional<V>>
  get_many(const std::vector<K>& keys) const {
    return this->template call<&functions::get_many>(keys);
  }

  /// Inserts or assigns all, in one step.
  template <std::ranges::input_range Entries>
  void set_many(Entries&& all) const {
    if constexpr (std::is_same_v<std::remove_cvref_t<Entries>,
                                 typename functions::entries>) {
      this->template call<&functions::set_many>(all);
    } else {
      typename functions::entries entries;
      for (auto&& [key, value] : all) {
        codec::require_kept_value<decltype(key), K>();
        codec::require_kept_value<decltype(value), V>();
        entries.emplace_back(key, value);
      }
      this->template call<&functions::set_many>(entries);
    }
  }

  void set_many(const typename functions::entries& all) const {
    this->template call<&functions::set_many>(all);
  }

  /// Adds to all in one step, as `add_or_insert` does: Python's
  /// `Counter.update`.
  template <std::ranges::input_range Entries>
  void add_or_insert_many(Entries&& all) const {
    typename functions::entries entries;
    for (auto&& [key, value] : all) {
      codec::require_kept_value<decltype(key), K>();
      codec::require_kept_value<decltype(value), V>();
      entries.emplace_back(key, value);
    }
    this->template call<&functions::add_or_insert_many>(entries);
  }

  /// Returns how many of them were there.
  std::size_t erase_many(const std::vector<K>& keys) const {
    return this->template call<&functions::erase_many>(keys);
  }

  void clear() const {
    this->template call<&functions::clear>();
  }

  // The whole ----------------------------------------------------------------

  [[nodiscard]] std::size_t size() const {
    return this->template call<&functions::size>();
  }

  [[nodiscard]] bool empty() const {
    return size() == 0;
  }

  [[nodiscard]] std::vector<K> keys() const {
    return this->template call<&functions::keys>();
  }

  [[nodiscard]] std::vector<V> values() const {
    return this->template call<&functions::values>();
  }

  /// Iterates over a copy of now.
  [[nodiscard]] iterator begin() const {
    return iterator{this->snapshot()};
  }

  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }

  [[nodiscard]] static dict load(codec::decoder& from) {
    return dict{base::load(from)};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    functions::offer();
  }
};

} // namespace troupe::held

// What is read is a copy, which may have another size than the object now.
template <class K, class V, class Map>
inline constexpr bool
  std::ranges::disable_sized_range<troupe::held::dict<K, V, Map>>
  = true;
