// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

/// Looks into aggregates: how many members there are, and each of them.
///
/// This file is longer than its idea, because C++20 cannot bind a number of
/// names that a template computes: each number has its own line.
namespace troupe::codec::members {

/// More members than that need an inspect function.
inline constexpr std::size_t most = 24;

template <class... Ts>
struct type_list {};

/// Turns into whatever a member wants to be initialised with.
struct anything {
  template <class T>
  operator T() const;
};

/// Turns into the bases of `T` only.
template <class T>
struct any_base {
  template <class Base>
    requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>)
  operator Base() const;
};

template <std::size_t>
using anything_at = anything;

/// Whether `T{anything...}` is valid with so many of them.
template <class T, std::size_t Count>
inline constexpr bool takes
  = []<std::size_t... Is>(std::index_sequence<Is...>) {
      return requires { T{anything_at<Is>{}...}; };
    }(std::make_index_sequence<Count>{});

/// Whether `T{anything..., {}, anything...}` is valid. Unlike `anything`, the
/// braces stand for one member even if that is an array.
template <class T, std::size_t Before, std::size_t After>
inline constexpr bool takes_braces
  = []<std::size_t... Is, std::size_t... Js>(std::index_sequence<Is...>,
                                             std::index_sequence<Js...>) {
      return requires { T{anything_at<Is>{}..., {}, anything_at<Js>{}...}; };
    }(std::make_index_sequence<Before>{}, std::make_index_sequence<After>{});

/// Returns the largest number in [Low, High) for which `Valid` holds, which
/// holds for Low and up to some number, and for none above.
template <template <std::size_t> class Valid, std::size_t Low, std::size_t High>
consteval std::size_t largest() {
  if constexpr (Low + 1 >= High)
    return Low;
  else if constexpr (constexpr auto middle = Low + (High - Low) / 2;
                     Valid<middle>::value)
    return largest<Valid, middle, High>();
  else
    return largest<Valid, Low, middle>();
}

/// No number of initialisers fits: a reference, or a member that `anything`
/// does not turn into.
inline constexpr std::size_t unknown = static_cast<std::size_t>(-1);

/// Counts initialisers, of which an array takes one for each element.
template <class T>
struct flat_count {
  template <std::size_t N>
  struct valid : std::bool_constant<takes<T, N>> {};

  template <std::size_t N = 0>
  static consteval std::size_t lowest() {
    if constexpr (takes<T, N>)
      return N;
    else if constexpr (N < most)
      return lowest<N + 1>();
    else
      return unknown;
  }

  template <std::size_t Low, std::size_t Step = 1>
  static consteval std::size_t from() {
    if constexpr (takes<T, Low + Step> && Step <= sizeof(T) + most)
      return from<Low + Step, Step * 2>();
    else
      return largest<valid, Low, Low + Step>();
  }

  static consteval std::size_t get() {
    if constexpr (lowest() == unknown)
      return unknown;
    else
      return from<lowest()>();
  }
};

/// Counts members, given the number of initialisers.
template <class T, std::size_t Flat>
struct grouped_count {
  template <std::size_t At>
  struct braces_at {
    template <std::size_t After>
    struct valid : std::bool_constant<takes_braces<T, At, After>> {};
  };

  /// How many initialisers the member takes that starts at initialiser `At`.
  template <std::size_t At>
  static consteval std::size_t width() {
    if constexpr (takes_braces<T, At, Flat - At - 1> || !takes_braces<T, At, 0>)
      return 1;
    else
      return Flat - At - largest<braces_at<At>::template valid, 0, Flat - At>();
  }

  template <std::size_t At = 0>
  static consteval std::size_t get() {
    if constexpr (At >= Flat)
      return 0;
    else
      return 1 + get<At + width<At>()>();
  }
};

/// Whether the aggregate `T` has a base class that is not empty, or is not
/// empty itself and has an empty one.
template <class T>
inline constexpr bool has_base = [] {
  if constexpr (std::is_aggregate_v<T> && std::is_class_v<T>)
    return requires { T{any_base<T>{}}; } && !std::is_empty_v<T>;
  else
    return false;
}();

template <class T>
consteval std::size_t count_members() {
  if constexpr (!std::is_aggregate_v<T> || std::is_array_v<T>
                || std::is_union_v<T>) {
    return unknown;
  } else if constexpr (!std::is_move_assignable_v<T> && !requires { T{}; }) {
    // Perhaps a reference, which must be initialised.
    return unknown;
  } else if constexpr (has_base<T>) {
    return unknown;
  } else {
    constexpr auto flat = flat_count<T>::get();
    if constexpr (flat == unknown)
      return unknown;
    else if constexpr (flat == 0)
      return std::is_empty_v<T> ? 0 : unknown;
    else if constexpr (takes_braces<T, flat, 0>)
      return unknown;
    else
      return grouped_count<T, flat>::get();
  }
}

/// Number of members of an aggregate, or `unknown` where one cannot look in:
/// bases, references, unions.
template <class T>
inline constexpr std::size_t count = count_members<T>();

template <class T>
concept visible = count<T> <= most;

/// Calls `visit` with all members of `object`. Long: a binding for each count.
template <class T, class Visit>
constexpr decltype(auto) apply(T& object, Visit&& visit) {
  constexpr auto n = count<std::remove_const_t<T>>;
  if constexpr (n == 0) {
    return visit();
  } else if constexpr (n == 1) {
    auto& [a] = object;
    return visit(a);
  } else if constexpr (n == 2) {
    auto& [a, b] = object;
    return visit(a, b);
  } else if constexpr (n == 3) {
    auto& [a, b, c] = object;
    return visit(a, b, c);
  } else if constexpr (n == 4) {
    auto& [a, b, c, d] = object;
    return visit(a, b, c, d);
  } else if constexpr (n == 5) {
    auto& [a, b, c, d, e] = object;
    return visit(a, b, c, d, e);
  } else if constexpr (n == 6) {
    auto& [a, b, c, d, e, f] = object;
    return visit(a, b, c, d, e, f);
  } else if constexpr (n == 7) {
    auto& [a, b, c, d, e, f, g] = object;
    return visit(a, b, c, d, e, f, g);
  } else if constexpr (n == 8) {
    auto& [a, b, c, d, e, f, g, h] = object;
    return visit(a, b, c, d, e, f, g, h);
  } else if constexpr (n == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = object;
    return visit(a, b, c, d, e, f, g, h, i);
  } else if constexpr (n == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = object;
    return visit(a, b, c, d, e, f, g, h, i, j);
  } else if constexpr (n == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k);
  } else if constexpr (n == 12) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l);
  } else if constexpr (n == 13) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m);
  } else if constexpr (n == 14) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
  } else if constexpr (n == 15) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
  } else if constexpr (n == 16) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
  } else if constexpr (n == 17) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
  } else if constexpr (n == 18) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r);
  } else if constexpr (n == 19) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s);
  } else if constexpr (n == 20) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
  } else if constexpr (n == 21) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u]
      = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u);
  } else if constexpr (n == 22) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v]
      = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u,
                 v);
  } else if constexpr (n == 23) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w]
      = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u,
                 v, w);
  } else if constexpr (n == 24) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w,
           x]
      = object;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u,
                 v, w, x);
  }
}

/// The types of the members of `T`, as a `type_list`.
template <class T>
using types
  = decltype(apply(std::declval<const T&>(), []<class... Ms>(const Ms&...) {
      return type_list<Ms...>{};
    }));

/// Whether constants are why an aggregate cannot be assigned to, so that one
/// can still be made of its members. An array cannot be made so.
template <class T>
inline constexpr bool has_constants
  = decltype(apply(std::declval<T&>(), []<class... Ms>(Ms&...) {
      return std::bool_constant<
        ((!std::is_array_v<Ms>) && ...)
        && ((std::is_const_v<Ms> || !std::is_move_assignable_v<Ms>) || ...)>{};
    }))::value;

} // namespace troupe::codec::members
