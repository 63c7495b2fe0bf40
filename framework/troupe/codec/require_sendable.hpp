// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>
#include <troupe/codec/standard.hpp>

#include <concepts>
#include <type_traits>

namespace troupe::codec {

/// Finds the part of `T` because of which `T` cannot be sent; `T` itself where
/// no part of it is to blame.
template <class T>
struct culprit {
  template <class Part, class... Rest>
  static auto first_of(type_list<Part, Rest...>) {
    if constexpr (!can_send<Part>(type_list<T>{}))
      return culprit<Part>::get();
    else
      return first_of(type_list<Rest...>{});
  }

  static auto get() {
    if constexpr (std::is_bounded_array_v<T>)
      return culprit<std::remove_extent_t<T>>::get();
    else if constexpr (standard_type<T> && !sendable<T>)
      return first_of(typename standard<T>::parts{});
    else if constexpr (plain_aggregate<T> && !sendable<T>)
      return first_of(members::types<T>{});
    else
      return std::type_identity<T>{};
  }
};

/// A view: it has a place and a length in this process, and owns nothing.
template <class T>
concept borrowing = requires(const T& view) {
  view.data();
  view.size();
} && std::is_trivially_copyable_v<T>;

template <class T>
concept reference_wrapping = requires(const T& wrapper) {
  { wrapper.get() } -> std::same_as<typename T::type&>;
};

/// Ends the compilation with a line that says why `Part` cannot be sent, and
/// what to do instead. A class, because compilers show the whole way to it.
template <class Part>
struct explanation {
  static constexpr bool is_function
    = std::is_member_pointer_v<Part>
      || std::is_function_v<std::remove_pointer_t<Part>>;
  static constexpr bool is_pointer = std::is_pointer_v<Part> && !is_function;
  static constexpr bool is_reference = std::is_reference_v<Part>
                                       || reference_wrapping<Part>;
  static constexpr bool is_view = !is_reference && borrowing<Part>;
  static constexpr bool lacks_constructor
    = inspectable<Part> && !std::is_default_constructible_v<Part>;
  static constexpr bool is_enumeration = std::is_enum_v<Part>
                                         && !fixed_enumeration<Part>;
  static constexpr bool is_other = !is_enumeration && !is_function
                                   && !is_pointer && !is_reference && !is_view
                                   && !lacks_constructor;

  static_assert(!is_function,
                "troupe: this type cannot be sent: a pointer to a function or "
                "member; start the function in a process, or send a number "
                "or name that stands for it");
  static_assert(!is_pointer,
                "troupe: this type cannot be sent: a pointer means nothing in "
                "another process; send the value, or a troupe::value, "
                "troupe::array or troupe::buffer");
  static_assert(!is_reference,
                "troupe: this type cannot be sent: a reference means nothing "
                "in another process; send the value, or a handle of a shared "
                "object");
  static_assert(!is_view,
                "troupe: this type cannot be sent: a view does not own what "
                "it shows; send the string or container itself");
  static_assert(!lacks_constructor,
                "troupe: this type cannot be sent: it has an inspect function "
                "but no default constructor; give it one, or a "
                "troupe::codec::coding");
  static_assert(!is_enumeration,
                "troupe: this type cannot be sent: an enumeration without an "
                "underlying type; write `enum name : int`, or give it an "
                "inspect function");
  static_assert(!is_other,
                "troupe: this type cannot be sent; send the values it is made "
                "of, or give it an inspect function or a "
                "troupe::codec::coding");
};

/// Does nothing if `T` can be sent; otherwise the compilation ends with one
/// error that names the part of `T` to blame and says what to do about it.
/// Put it first, and what needs `sendable<T>` behind `if constexpr`.
template <class T>
consteval void require_sendable() {
  if constexpr (!sendable<T>)
    static_cast<void>(
      sizeof(explanation<typename decltype(culprit<T>::get())::type>));
}

} // namespace troupe::codec
