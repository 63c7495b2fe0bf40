// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/require_callable.hpp>
#include <troupe/pool/task_recipe.hpp>

#include <ranges>
#include <tuple>
#include <type_traits>

/// Checks of a pool's functions and their input: see require_callable.hpp.
namespace troupe::pooling {

/// Whether a pool can run `Callable`, whatever its arguments.
template <class Callable>
inline constexpr bool is_task = calls::callable<typename Callable::signature>
                                && calls::returnable<result_of<Callable>>;

template <class Callable>
void require_task() {
  using signature = typename Callable::signature;
  if constexpr (!calls::callable<signature>)
    calls::require_callable<signature>();
  else
    calls::require_returnable<result_of<Callable>>();
}

/// Whether a pool can run `Callable` with arguments of these types.
template <class Callable, class... Args>
inline constexpr bool applicable
  = is_task<Callable> && calls::accepts<typename Callable::signature, Args...>;

template <class Callable, class... Args>
void require_applicable() {
  if constexpr (!is_task<Callable>)
    require_task<Callable>();
  else
    calls::require_accepts<typename Callable::signature, Args...>();
}

/// Whether an item of a range can be the arguments of `Callable`: with `Star` a
/// tuple of them, else the only one.
template <class Callable, bool Star, class Item>
inline constexpr bool is_item = [] {
  using parameters = parameters_of<Callable>;
  if constexpr (Star)
    return std::is_constructible_v<parameters, Item>;
  else if constexpr (std::tuple_size_v<parameters> == 1)
    return std::is_convertible_v<Item, std::tuple_element_t<0, parameters>>;
  else
    return false;
}();

/// Whether a pool can run `Callable` on each item of a range.
template <class Callable, bool Star, class Items>
inline constexpr bool mappable = [] {
  if constexpr (is_task<Callable> && std::ranges::input_range<Items>)
    return is_item<Callable, Star, std::ranges::range_reference_t<Items>>;
  else
    return false;
}();

template <class Callable, bool Star, class Items>
void require_mappable() {
  constexpr bool is_range = std::ranges::input_range<Items>;
  constexpr bool one_parameter = Callable::signature::arity == 1;
  if constexpr (!is_task<Callable>) {
    require_task<Callable>();
  } else if constexpr (!is_range) {
    static_assert(is_range, "troupe: this takes a range of arguments: a "
                            "container, an array, a view");
  } else if constexpr (!Star && !one_parameter) {
    static_assert(one_parameter,
                  "troupe: the function must have one parameter, the item; for "
                  "several use starmap with a range of tuples, or a tuple as "
                  "parameter");
  } else if constexpr (Star) {
    constexpr bool fits = mappable<Callable, Star, Items>;
    static_assert(fits,
                  "troupe: the items of starmap are tuples with as many "
                  "elements as the function has parameters, which convert "
                  "to these");
  } else {
    constexpr bool fits = mappable<Callable, Star, Items>;
    static_assert(fits, "troupe: an item of the range does not convert to the "
                        "function's parameter");
  }
}

} // namespace troupe::pooling
