// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>
#include <troupe/codec/standard.hpp>

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

/// Ends the compilation at `Part`, with a line that says what to do instead.
template <class Part>
consteval void explain() {
  if constexpr (std::is_member_pointer_v<Part>
                || std::is_function_v<std::remove_pointer_t<Part>>)
    static_assert(sendable<Part>,
                  "troupe: this type cannot be sent: a pointer to a function; "
                  "give the function to a process, or send a number or name");
  else if constexpr (std::is_pointer_v<Part>)
    static_assert(sendable<Part>,
                  "troupe: this type cannot be sent: a pointer means nothing "
                  "in another process; send the value, or a troupe::value, "
                  "troupe::array or troupe::buffer");
  else if constexpr (std::is_reference_v<Part> || requires(const Part& p) {
                       { p.get() } -> std::same_as<typename Part::type&>;
                     })
    static_assert(sendable<Part>,
                  "troupe: this type cannot be sent: a reference means nothing "
                  "in another process; send the value, or a handle of a shared "
                  "object");
  else if constexpr (borrowing<Part>)
    static_assert(sendable<Part>,
                  "troupe: this type cannot be sent: a view does not own what "
                  "it shows; send the string or container itself");
  else if constexpr (inspectable<Part>)
    static_assert(sendable<Part>,
                  "troupe: this type cannot be sent: it has an inspect "
                  "function but no default constructor; give it one, or a "
                  "troupe::codec::coding");
  else
    static_assert(sendable<Part>,
                  "troupe: this type cannot be sent; send the values it is "
                  "made of, or give it an inspect function or a "
                  "troupe::codec::coding");
}

/// Does nothing if `T` can be sent; otherwise the compilation ends with one
/// error that names the part of `T` to blame and says what to do about it.
/// Put it first, and what needs `sendable<T>` behind `if constexpr`.
template <class T>
consteval bool require_sendable() {
  if constexpr (!sendable<T>)
    explain<typename decltype(culprit<T>::get())::type>();
  return true;
}

} // namespace troupe::codec
