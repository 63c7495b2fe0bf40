// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe::codec {

/// A field of a calendar: a number, which need not be a day that exists.
template <class Field, class Number>
struct field_coding {
  using parts = type_list<>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return sizeof(Number);
  }

  static void save(encoder& to, Field from) {
    if constexpr (requires { from.c_encoding(); })
      to.save(static_cast<Number>(from.c_encoding()));
    else if constexpr (requires { static_cast<unsigned>(from); })
      to.save(static_cast<Number>(static_cast<unsigned>(from)));
    else
      to.save(static_cast<Number>(static_cast<int>(from)));
  }

  static Field load(decoder& from) {
    return Field{from.load<Number>()};
  }
};

template <>
struct standard<std::chrono::day>
  : field_coding<std::chrono::day, std::uint8_t> {};
template <>
struct standard<std::chrono::month>
  : field_coding<std::chrono::month, std::uint8_t> {};
template <>
struct standard<std::chrono::year>
  : field_coding<std::chrono::year, std::int16_t> {};
template <>
struct standard<std::chrono::weekday>
  : field_coding<std::chrono::weekday, std::uint8_t> {};

/// What a date is made of, in the order of its constructor.
template <class Date>
concept calendar_date
  = declared_in_std<Date>
    && (requires(const Date& date) { date.month(); }
        || requires(const Date& date) { date.weekday(); }
        || requires(const Date& date) { date.month_day_last(); });

/// Returns the parts of a date, in the order of its constructor.
template <class Date>
constexpr auto parts_of_date(const Date& date) {
  if constexpr (requires { date.year(), date.month_day_last(); })
    return std::tuple{date.year(), date.month_day_last()};
  else if constexpr (requires { date.year(), date.weekday_indexed(); })
    return std::tuple{date.year(), date.month(), date.weekday_indexed()};
  else if constexpr (requires { date.year(), date.weekday_last(); })
    return std::tuple{date.year(), date.month(), date.weekday_last()};
  else if constexpr (requires { date.year(), date.day(); })
    return std::tuple{date.year(), date.month(), date.day()};
  else if constexpr (requires { date.year(); })
    return std::tuple{date.year(), date.month()};
  else if constexpr (requires { date.weekday_indexed(); })
    return std::tuple{date.month(), date.weekday_indexed()};
  else if constexpr (requires { date.weekday_last(); })
    return std::tuple{date.month(), date.weekday_last()};
  else if constexpr (requires { date.month(), date.day(); })
    return std::tuple{date.month(), date.day()};
  else if constexpr (requires { date.month(); })
    return std::tuple{date.month()};
  else if constexpr (requires { date.index(); })
    return std::tuple{date.weekday(), static_cast<std::uint8_t>(date.index())};
  else
    return std::tuple{date.weekday()};
}

/// A date, as its parts: `year_month_day`, `month_weekday_last`,
/// `weekday_indexed` and the like.
template <calendar_date Date>
struct standard<Date> {
  using tuple = decltype(parts_of_date(std::declval<const Date&>()));
  using parts = type_list<tuple>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return least_size<tuple>;
  }

  static void save(encoder& to, const Date& from) {
    to.save(parts_of_date(from));
  }

  static Date load(decoder& from) {
    return std::make_from_tuple<Date>(from.load<tuple>());
  }
};

/// A time of day, as its duration. One whose parts of a second are cut off
/// would arrive as another.
template <class Duration>
struct standard<std::chrono::hh_mm_ss<Duration>> {
  using type = std::chrono::hh_mm_ss<Duration>;
  using parts = type_list<Duration>;

  static constexpr bool known
    = std::is_convertible_v<Duration, typename type::precision>;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return least_size<Duration>;
  }

  static void save(encoder& to, const type& from) {
    const auto time = std::chrono::duration_cast<Duration>(from.to_duration());
    if (!fits(time))
      to.refuse(type_name<type>(), "it is no time that can be split");
    to.save(time);
  }

  static type load(decoder& from) {
    const auto time = from.load<Duration>();
    if (!fits(time))
      from.refuse(type_name<type>(), "it is no time that can be split");
    return type{time};
  }

private:
  using seconds = std::chrono::duration<long double>;

  /// Whether the hours, and all in the finest unit, are numbers that there are.
  static bool fits(Duration time) {
    constexpr long double ages = 1e15L;
    const auto most = std::min(ages, seconds{type::precision::max()}.count());
    const auto length = seconds{time}.count();
    return length >= -most && length <= most;
  }
};

} // namespace troupe::codec
