// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace troupe::codec {

template <class T>
struct standard<std::optional<T>> {
  using value = std::remove_const_t<T>;
  using parts = type_list<value>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return 1;
  }

  static void save(encoder& to, const std::optional<T>& from) {
    to.save(from.has_value());
    if (from)
      to.save<value>(*from);
  }

  static std::optional<T> load(decoder& from) {
    std::optional<T> result;
    if (from.load<bool>())
      result.emplace(from.load<value>());
    return result;
  }
};

/// What it points to is copied. A pointer to a base class is not sendable,
/// because only the base would arrive.
template <class T>
struct standard<std::unique_ptr<T>> {
  using value = std::remove_const_t<T>;
  using parts = type_list<value>;

  static constexpr bool known
    = !std::is_array_v<T> && (!std::is_polymorphic_v<T> || std::is_final_v<T>);
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return 1;
  }

  static void save(encoder& to, const std::unique_ptr<T>& from) {
    const encoder::level level{to, type_name<std::unique_ptr<T>>()};
    to.save(from != nullptr);
    if (from)
      to.save<value>(*from);
  }

  static std::unique_ptr<T> load(decoder& from) {
    const decoder::level level{from, type_name<std::unique_ptr<T>>()};
    if (!from.load<bool>())
      return nullptr;
    return std::unique_ptr<T>{new value(from.load<value>())};
  }
};

template <>
struct standard<std::monostate> {
  using parts = type_list<>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return 0;
  }

  static void save(encoder&, std::monostate) noexcept {
  }

  static std::monostate load(decoder&) noexcept {
    return {};
  }
};

/// Two bytes say which alternative follows.
template <class... Ts>
struct standard<std::variant<Ts...>> {
  using type = std::variant<Ts...>;
  using parts = type_list<Ts...>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return sizeof(std::uint16_t) + std::min({least_size<Ts>...});
  }

  static void save(encoder& to, const type& from) {
    if (from.valueless_by_exception())
      to.refuse(type_name<type>(), "it has no value");
    to.save(static_cast<std::uint16_t>(from.index()));
    std::visit([&to]<class T>(const T& value) { to.save<T>(value); }, from);
  }

  static type load(decoder& from) {
    const auto index = from.load<std::uint16_t>();
    if (index >= sizeof...(Ts))
      from.refuse(type_name<type>(), "it has no such alternative");
    return [&]<std::size_t... Is>(std::index_sequence<Is...>) {
      using load_one = type (*)(decoder&);
      static constexpr load_one table[] = {[](decoder& each) {
        return type{std::in_place_index<Is>, each.load<Ts>()};
      }...};
      return table[index](from);
    }(std::index_sequence_for<Ts...>{});
  }
};

} // namespace troupe::codec
