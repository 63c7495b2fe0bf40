// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/dict_functions.hpp>
#include <troupe/state/snapshot_iterator.hpp>
#include <troupe/state/state.hpp>

#include <cstddef>
#include <iterator>
#include <optional>
#include <ranges>
#include <set>
#include <type_traits>
#include <unordered_set>
#include <utility>

namespace troupe::held {

/// What `held::set` does, where the keys are.
template <class K>
struct set_functions {
  using object
    = std::conditional_t<hashable<K>, std::unordered_set<K>, std::set<K>>;

  static bool insert(object& in, K key) {
    return in.insert(std::move(key)).second;
  }

  static bool erase(object& in, const K& key) {
    return in.erase(key) != 0;
  }

  static std::optional<K> pop_any(object& in) {
    if (in.empty())
      return std::nullopt;
    return std::move(in.extract(in.begin()).value());
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

  static void unite(object& in, object other) {
    in.merge(other);
  }

  static void intersect(object& in, const object& other) {
    std::erase_if(in, [&](const K& key) { return !other.contains(key); });
  }

  static void subtract(object& in, const object& other) {
    std::erase_if(in, [&](const K& key) { return other.contains(key); });
  }

  static void toggle(object& in, object other) {
    for (auto at = other.begin(); at != other.end();) {
      const auto now = at++;
      if (in.erase(*now) != 0)
        other.erase(now);
    }
    in.merge(other);
  }

  static bool includes(const object& in, const object& other) {
    for (const auto& each : other)
      if (!in.contains(each))
        return false;
    return true;
  }

  static bool included(const object& in, const object& other) {
    return includes(other, in);
  }

  static bool disjoint(const object& in, const object& other) {
    for (const auto& each : other)
      if (in.contains(each))
        return false;
    return true;
  }

  static void offer() {
    using f = set_functions;
    state::offer<object, &f::insert, &f::erase, &f::pop_any, &f::contains,
                 &f::size, &f::clear, &f::unite, &f::intersect, &f::subtract,
                 &f::toggle, &f::includes, &f::included, &f::disjoint>();
    proxy<object>::offer_copies();
  }
};

/// A set that a state holds: Python's `manager.set()`, a
/// `std::unordered_set<K>`, or a `std::set` where `K` has no `std::hash`.
///
/// Each function is one call. A `for` over it sees a copy that was made in one
/// piece.
template <class K>
class set : public proxy<typename set_functions<K>::object> {
  using functions = set_functions<K>;
  using base = proxy<typename functions::object>;

public:
  using key_type = K;
  using value_type = K;
  using object = typename functions::object;
  using iterator = snapshot_iterator<object>;

  explicit set(base held) noexcept : base(std::move(held)) {
  }

  /// Returns whether it was not there before.
  bool insert(const K& key) const {
    return this->template call<&functions::insert>(key);
  }

  /// Returns whether it was there.
  bool erase(const K& key) const {
    return this->template call<&functions::erase>(key);
  }

  /// Takes some key away and returns it; nothing if there is none.
  std::optional<K> pop_any() const {
    return this->template call<&functions::pop_any>();
  }

  [[nodiscard]] bool contains(const K& key) const {
    return this->template call<&functions::contains>(key);
  }

  [[nodiscard]] std::size_t size() const {
    return this->template call<&functions::size>();
  }

  [[nodiscard]] bool empty() const {
    return size() == 0;
  }

  void clear() const {
    this->template call<&functions::clear>();
  }

  // With another set ----------------------------------------------------------

  /// Inserts all of `other`: Python's `update`, `|=`.
  void unite(const object& other) const {
    this->template call<&functions::unite>(other);
  }

  /// Keeps what is in `other` too: `&=`.
  void intersect(const object& other) const {
    this->template call<&functions::intersect>(other);
  }

  /// Takes away what is in `other`: `-=`.
  void subtract(const object& other) const {
    this->template call<&functions::subtract>(other);
  }

  /// Keeps what is in one of the two alone: `^=`.
  void toggle(const object& other) const {
    this->template call<&functions::toggle>(other);
  }

  /// Whether all of `other` is here: `issuperset`.
  [[nodiscard]] bool includes(const object& other) const {
    return this->template call<&functions::includes>(other);
  }

  /// Whether all of this is in `other`: `issubset`.
  [[nodiscard]] bool is_included_in(const object& other) const {
    return this->template call<&functions::included>(other);
  }

  [[nodiscard]] bool is_disjoint_from(const object& other) const {
    return this->template call<&functions::disjoint>(other);
  }

  /// Iterates over a copy of now.
  [[nodiscard]] iterator begin() const {
    return iterator{this->snapshot()};
  }

  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }

  [[nodiscard]] static set load(codec::decoder& from) {
    return set{base::load(from)};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    functions::offer();
  }
};

} // namespace troupe::held

// What is read is a copy, which may have another size than the object now.
template <class K>
inline constexpr bool std::ranges::disable_sized_range<troupe::held::set<K>>
  = true;
