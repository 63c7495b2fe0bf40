// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe::codec {

/// What tuple and pair have in common: their parts, one after the other. A
/// constant part, as the key in a map's `value_type`, travels as any other.
template <class Product, class... Parts>
struct product_coding {
  using parts = type_list<Parts...>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return (std::size_t{0} + ... + least_size<Parts>);
  }

  static void save(encoder& to, const Product& from) {
    std::apply(
      [&to](const Parts&... each) {
        static_cast<void>(to);
        (to.save<Parts>(each), ...);
      },
      from);
  }

  static Product load([[maybe_unused]] decoder& from) {
    // Braces, because they read from left to right.
    return Product{from.load<Parts>()...};
  }
};

template <class... Ts>
struct standard<std::tuple<Ts...>>
  : product_coding<std::tuple<Ts...>, std::remove_const_t<Ts>...> {};

template <class T, class U>
struct standard<std::pair<T, U>>
  : product_coding<std::pair<T, U>, std::remove_const_t<T>,
                   std::remove_const_t<U>> {};

template <class T, std::size_t N>
struct standard<std::array<T, N>> {
  using parts = type_list<T>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = true;

  static consteval std::size_t least() {
    return N * least_size<T>;
  }

  static void save([[maybe_unused]] encoder& to, const std::array<T, N>& from) {
    for (const auto& each : from)
      to.save<T>(each);
  }

  static std::array<T, N> load([[maybe_unused]] decoder& from) {
    if constexpr (std::is_default_constructible_v<T>
                  && std::is_move_assignable_v<T>) {
      std::array<T, N> result{};
      for (auto& each : result)
        from.load_into(each);
      return result;
    } else {
      return [&]<std::size_t... Is>(std::index_sequence<Is...>) {
        return std::array<T, N>{(static_cast<void>(Is), from.load<T>())...};
      }(std::make_index_sequence<N>{});
    }
  }
};

/// `std::complex`, known by what it has.
template <class T>
concept complex_number = requires(const T& number) {
  typename T::value_type;
  number.real();
  number.imag();
} && declared_in_std<T>;

template <complex_number T>
struct standard<T> {
  using parts = type_list<typename T::value_type>;

  static constexpr bool known
    = std::is_floating_point_v<typename T::value_type>;
  static constexpr bool flat_if_parts = true;
};

} // namespace troupe::codec
