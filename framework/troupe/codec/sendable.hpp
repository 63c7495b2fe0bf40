// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/coding.hpp>
#include <troupe/codec/inspector.hpp>
#include <troupe/codec/members.hpp>
#include <troupe/codec/type_name.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace troupe::codec {

/// How one type (or family) of the standard library is sent. Specialised in
/// the files of `standard/`, with
///
///     known      true
///     least      bytes that every encoded value takes at least
///     parts      type_list of what must be sendable as well
///     save, load
template <class T>
struct standard {
  static constexpr bool known = false;
};

template <class T>
concept standard_type = standard<T>::known;

/// Whether `T` is declared in the standard library's namespace: for templates
/// that are recognised by their functions, so that their headers need not be
/// included.
template <class T>
inline constexpr bool declared_in_std = type_name<T>().starts_with("std::");

using members::type_list;

/// An enumeration of which every value of the underlying type is a value. The
/// others, `enum colour { red, green }`, have a range that nobody can ask for,
/// and a value outside of it is undefined behaviour.
template <class T>
concept fixed_enumeration = std::is_enum_v<T>
                            && requires { T{std::underlying_type_t<T>{}}; };

/// An aggregate that is sent member by member, without anything from its
/// author.
template <class T>
concept plain_aggregate
  = !has_coding<T> && !self_coding<T> && !standard_type<T> && !inspectable<T>
    && std::is_class_v<T> && members::visible<T>
    && (std::is_move_assignable_v<T> || members::has_constants<T>);

/// Whether `T` can be sent, if what stands in `Above` can. Those are the
/// aggregates that contain it, so that a tree of itself comes to an end.
template <class T, class... Above>
consteval bool can_send(type_list<Above...> above) {
  if constexpr (std::is_bounded_array_v<T>) {
    return can_send<std::remove_extent_t<T>>(above);
  } else if constexpr (!std::is_same_v<T, std::remove_cv_t<T>>
                       || !std::is_object_v<T> || std::is_array_v<T>) {
    return false;
  } else if constexpr (std::is_arithmetic_v<T> || has_coding<T>
                       || self_coding<T>) {
    return true;
  } else if constexpr (standard_type<T>) {
    return []<class... Parts>(type_list<Parts...>) {
      return (can_send<Parts>(type_list<Above...>{}) && ...);
    }(typename standard<T>::parts{});
  } else if constexpr (inspectable<T>) {
    return std::is_default_constructible_v<T>;
  } else if constexpr (fixed_enumeration<T>
                       || (std::is_same_v<T, Above> || ...)) {
    return true;
  } else if constexpr (plain_aggregate<T>) {
    return []<class... Ms>(type_list<Ms...>) {
      return (can_send<Ms>(type_list<T, Above...>{}) && ...);
    }(members::types<T>{});
  } else {
    return false;
  }
}

/// A type whose values mean the same in another process, and can go there:
/// numbers, enumerations, strings, the standard containers and their adaptors,
/// bitset, valarray, optional, variant, tuple, unique_ptr, chrono, error codes;
/// aggregates of such; types with an `inspect` function; Troupe's handles;
/// types with a `coding`.
///
/// Not pointers, references and views, functions, locks and streams.
template <class T>
concept sendable = can_send<T>(type_list<>{});

/// Whether an encoded `T` is the `sizeof(T)` bytes of the object and any such
/// bytes are a `T`: numbers without `bool`, enumerations over them, and
/// aggregates, arrays, complex numbers and durations of these. Bytes from
/// elsewhere may be copied into a flat type unchecked.
template <class T>
inline constexpr bool flat = [] {
  if constexpr (std::is_bounded_array_v<T>) {
    return flat<std::remove_extent_t<T>>;
  } else if constexpr (!std::is_object_v<T> || !std::is_trivially_copyable_v<T>
                       || !std::is_move_assignable_v<T>
                       || std::is_same_v<T, bool>) {
    return false;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return true;
  } else if constexpr (has_coding<T> || self_coding<T>) {
    return false;
  } else if constexpr (standard_type<T>) {
    return []<class... Parts>(type_list<Parts...>) {
      return standard<T>::flat_if_parts && (flat<Parts> && ...);
    }(typename standard<T>::parts{});
  } else if constexpr (inspectable<T>) {
    return false;
  } else if constexpr (fixed_enumeration<T>) {
    return flat<std::underlying_type_t<T>>;
  } else if constexpr (plain_aggregate<T>) {
    return []<class... Ms>(type_list<Ms...>) {
      return (flat<Ms> && ...);
    }(members::types<T>{});
  } else {
    return false;
  }
}();

/// The bytes that every encoded `T` takes at least; 0 where that is not known.
template <class T>
inline constexpr std::size_t least_size = [] {
  if constexpr (flat<T>) {
    return sizeof(T);
  } else if constexpr (std::is_bounded_array_v<T>) {
    return std::extent_v<T> * least_size<std::remove_extent_t<T>>;
  } else if constexpr (std::is_same_v<T, bool>) {
    return std::size_t{1};
  } else if constexpr (has_coding<T> || self_coding<T>) {
    return std::size_t{0};
  } else if constexpr (standard_type<T>) {
    return standard<T>::least();
  } else if constexpr (inspectable<T>) {
    return std::size_t{0};
  } else if constexpr (std::is_enum_v<T>) {
    return sizeof(T);
  } else if constexpr (plain_aggregate<T>) {
    return []<class... Ms>(type_list<Ms...>) {
      return (std::size_t{0} + ... + least_size<Ms>);
    }(members::types<T>{});
  } else {
    return std::size_t{0};
  }
}();

} // namespace troupe::codec
