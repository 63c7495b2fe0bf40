// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/codec/type_name.hpp>

#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

/// Which conversions narrow: the result cannot hold each value of the source.
/// Arguments of functions in other processes are not converted so.
///
/// The rule is that of braces, `long{number}`, with two differences. What loses
/// nothing is no narrowing, as from `int` to `double`. And a temporary `int`
/// may be a literal, whose value braces would see: it converts to every
/// arithmetic type, and its value is checked when it is converted.
namespace troupe::codec {

/// Whether an arithmetic `To` can hold each value of an arithmetic `From`.
template <class From, class To>
consteval bool number_keeps_value() {
  using from = std::numeric_limits<From>;
  using to = std::numeric_limits<To>;
  if constexpr (std::is_same_v<To, bool>)
    return std::is_same_v<From, bool>;
  else if constexpr (std::is_integral_v<From>)
    return to::digits >= from::digits
           && (std::is_signed_v<To> || std::is_unsigned_v<From>);
  else
    return std::is_floating_point_v<To> && to::digits >= from::digits
           && to::max_exponent >= from::max_exponent
           && to::min_exponent <= from::min_exponent;
}

/// Converts to those numbers only that can hold each value of a `From`.
template <class From, bool Literal>
struct number_probe {
  template <class To>
    requires(std::is_arithmetic_v<To>
             && (Literal || number_keeps_value<From, To>()))
  operator To() const; // NOLINT(google-explicit-constructor)
};

/// The template arguments of a pair or tuple, as a tuple; void for others.
template <class T>
struct product_parts {
  using type = void;
};
template <class A, class B>
struct product_parts<std::pair<A, B>> {
  using type = std::tuple<A, B>;
};
template <class... Ts>
struct product_parts<std::tuple<Ts...>> {
  using type = std::tuple<Ts...>;
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class From, class To, bool Literal>
consteval bool conversion_keeps_value();

/// Of an object with a conversion function: whether braces take it, directly
/// or on the way over another number.
template <class From, class To>
consteval bool object_keeps_value() {
  const auto over = []<class... Numbers>(std::tuple<Numbers...>*) {
    return (([] {
              if constexpr (number_keeps_value<Numbers, To>())
                return requires(From from) {
                  Numbers{static_cast<From>(from)};
                };
              else
                return false;
            }())
            || ...);
  };
  // An empty one may be a constant, like std::integral_constant.
  return requires { To{std::declval<From>()}; }
         || requires { To{std::remove_cvref_t<From>{}}; }
         || over(
           static_cast<std::tuple<bool, char, signed char, unsigned char, short,
                                  unsigned short, int, unsigned, long,
                                  unsigned long, long long, unsigned long long,
                                  float, double, long double>*>(nullptr));
}

/// Whether the parts of `From` convert to those of `To`, each keeping its
/// value.
template <class From, class To>
consteval bool parts_keep_value() {
  if constexpr (std::tuple_size_v<From> != std::tuple_size_v<To>)
    return true; // it does not convert at all
  else
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return (conversion_keeps_value<std::tuple_element_t<I, From>,
                                     std::tuple_element_t<I, To>, false>()
              && ...);
    }(std::make_index_sequence<std::tuple_size_v<To>>{});
}

template <class From, class To, bool Literal>
consteval bool conversion_keeps_value() {
  using from = std::decay_t<From>;
  using to = std::remove_cvref_t<To>;
  using parts = typename product_parts<to>::type;
  using parts_of_from = typename product_parts<from>::type;
  if constexpr (std::is_same_v<from, to>)
    return true;
  else if constexpr (std::is_enum_v<from>)
    return conversion_keeps_value<std::underlying_type_t<from>, to, Literal>();
  else if constexpr (std::is_arithmetic_v<from> && std::is_arithmetic_v<to>)
    return Literal || number_keeps_value<from, to>();
  else if constexpr (std::is_pointer_v<from> || std::is_member_pointer_v<from>)
    return !std::is_same_v<to, bool>;
  else if constexpr (is_optional<to>) {
    if constexpr (is_optional<from>)
      return conversion_keeps_value<typename from::value_type,
                                    typename to::value_type, false>();
    else if constexpr (std::is_convertible_v<From, typename to::value_type>)
      return conversion_keeps_value<From, typename to::value_type, Literal>();
    else
      return true;
  } else if constexpr (!std::is_void_v<parts>) {
    if constexpr (!std::is_void_v<parts_of_from>)
      return parts_keep_value<parts_of_from, parts>();
    else
      return true;
  } else if constexpr (std::is_arithmetic_v<from> && std::is_class_v<to>)
    return requires { to{std::declval<From>()}; }
           || std::is_constructible_v<to, number_probe<from, Literal>>;
  else if constexpr (std::is_class_v<from> && std::is_arithmetic_v<to>)
    return object_keeps_value<From, to>();
  else
    return true;
}

/// Whether the implicit conversion of a `From` to `To`, if there is one, keeps
/// every value: it does not narrow. `From` is a reference for an lvalue.
/// Looks into pairs, tuples and optionals.
template <class From, class To>
inline constexpr bool keeps_value = conversion_keeps_value<From, To, false>();

/// The same for an argument that was deduced as `Arg&&`, which may be a
/// literal: a temporary `int` converts to every arithmetic type, by
/// `argument_as`.
template <class Arg, class To>
inline constexpr bool argument_keeps_value
  = conversion_keeps_value<Arg, To,
                           std::is_same_v<std::remove_cvref_t<Arg>, int>
                             && !std::is_lvalue_reference_v<Arg>>();

/// For the check of an argument, behind the one that it converts at all.
template <class Arg, class To>
concept argument_does_not_narrow = !std::is_convertible_v<Arg, To>
                                   || argument_keeps_value<Arg, To>;

/// What stands for an argument where a constructor is looked for: a number is
/// one that converts only to types that keep its value.
template <class Arg>
using probe_of = typename std::conditional_t<
  std::is_arithmetic_v<std::remove_cvref_t<Arg>>,
  std::type_identity<
    number_probe<std::remove_cvref_t<Arg>, std::is_same_v<Arg, int>>>,
  std::type_identity<Arg>>::type;

/// Whether `T(args...)` with arguments that were deduced as `Args&&` narrows no
/// number, or is no construction at all. `T` may be a class with constructors
/// or an aggregate.
template <class T, class... Args>
concept construction_does_not_narrow
  = (!std::is_arithmetic_v<std::remove_cvref_t<Args>> && ...)
    || !std::is_constructible_v<T, Args...>
    || std::is_constructible_v<T, probe_of<Args>...>
    || requires { T{std::declval<Args>()...}; };

/// Throws `invalid_argument` if a `To` has no value `number`.
template <class To>
constexpr void require_value(int number) {
  constexpr auto fits = [](int value) {
    if constexpr (std::is_floating_point_v<To>)
      return static_cast<long long>(static_cast<To>(value)) == value;
    else
      return std::is_same_v<To, bool> ? value == 0 || value == 1
             : (value < 0)            ? std::is_signed_v<To>
                               && value >= static_cast<long long>(
                                    std::numeric_limits<To>::min())
                           : static_cast<unsigned long long>(value)
                               <= static_cast<unsigned long long>(
                                 std::numeric_limits<To>::max());
  };
  if (!fits(number))
    throw invalid_argument("convert the argument " + std::to_string(number)
                             + " to " + std::string{type_name<To>()},
                           "that type has no such value");
}

/// Converts an argument to a parameter type. Throws `invalid_argument` for a
/// temporary `int` whose value the type does not have.
template <class To, class Arg>
constexpr To argument_as(Arg&& argument) {
  using from = std::remove_cvref_t<Arg>;
  if constexpr (std::is_same_v<from, int> && !std::is_lvalue_reference_v<Arg>) {
    if constexpr (std::is_arithmetic_v<To>) {
      if constexpr (!number_keeps_value<int, To>())
        require_value<To>(argument);
    } else if constexpr (is_optional<To>) {
      if constexpr (std::is_arithmetic_v<typename To::value_type>)
        return To(
          argument_as<typename To::value_type>(std::forward<Arg>(argument)));
    }
  }
  return To(std::forward<Arg>(argument));
}

/// Ends the compilation with one line if the conversion of an item of a range
/// would narrow.
template <class From, class To>
consteval void require_kept_value() {
  static_assert(!std::is_convertible_v<From, To> || keeps_value<From, To>,
                "troupe: an item of the range would narrow: not each of its "
                "values fits into the type that it is converted to; convert "
                "where that is meant, with static_cast");
}

} // namespace troupe::codec
