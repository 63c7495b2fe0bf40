// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>
#include <troupe/codec/standard.hpp>
#include <troupe/codec/unsendable.hpp>

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

/// Ends the compilation with a line that says why `Part` cannot be sent, and
/// what to do instead. A class, because compilers show the whole way to it.
template <class Part>
struct explanation {
  static constexpr auto why = flaw_of<Part>();

  // Long: a line for each flaw; in one function, so that each gives one error.
  static void give() {
    static_assert(why != flaw::function,
                  "troupe: this type cannot be sent: a pointer to a function "
                  "or member; start the function in a process, or send a "
                  "number or name that stands for it");
    static_assert(why != flaw::pointer,
                  "troupe: this type cannot be sent: a pointer means nothing "
                  "in another process; send the value, or a troupe::value, "
                  "troupe::array or troupe::buffer");
    static_assert(why != flaw::reference,
                  "troupe: this type cannot be sent: a reference means "
                  "nothing in another process; send the value, or a handle "
                  "of a shared object");
    static_assert(why != flaw::constant,
                  "troupe: this type cannot be sent: its type is const or "
                  "volatile as a whole; name it without");
    static_assert(why != flaw::array,
                  "troupe: this type cannot be sent: an array without a "
                  "length; send a std::vector");
    static_assert(why != flaw::enumeration,
                  "troupe: this type cannot be sent: an enumeration without "
                  "an underlying type; write `enum name : int`, or give it "
                  "an inspect function");
    static_assert(why != flaw::no_constructor,
                  "troupe: this type cannot be sent: it has an inspect "
                  "function but no default constructor; give it one, or a "
                  "troupe::codec::coding");
    static_assert(why != flaw::united,
                  "troupe: this type cannot be sent: nobody knows which "
                  "member of a union is there; use std::variant, or give it "
                  "a troupe::codec::coding");
    static_assert(why != flaw::view,
                  "troupe: this type cannot be sent: a view does not own "
                  "what it shows; send the string or container itself");
    static_assert(why != flaw::shared_pointer,
                  "troupe: this type cannot be sent: a shared or weak "
                  "pointer shares its object in one process; send the object "
                  "or a std::unique_ptr, or hold it in a troupe::state");
    static_assert(why != flaw::unique_pointer,
                  "troupe: this type cannot be sent: this unique_ptr is of "
                  "an array, has a deleter, or points to a class with "
                  "virtual functions, of which only the base would arrive; "
                  "send a std::vector or std::variant");
    static_assert(why != flaw::rule,
                  "troupe: this type cannot be sent: its comparison, hash or "
                  "equality is a value that does not travel; use a function "
                  "object without members");
    static_assert(why != flaw::erased_function,
                  "troupe: this type cannot be sent: what is inside of a "
                  "function object is known to this process only; start the "
                  "function itself, and send its arguments");
    static_assert(why != flaw::erased_value,
                  "troupe: this type cannot be sent: the type inside of a "
                  "std::any is known to this process only; use std::variant");
    static_assert(why != flaw::atomic,
                  "troupe: this type cannot be sent: an atomic is shared by "
                  "threads of one process; send its value, or share a "
                  "troupe::value");
    static_assert(why != flaw::lock,
                  "troupe: this type cannot be sent: a lock or condition "
                  "works in one process; use a troupe::mutex or its "
                  "relatives");
    static_assert(why != flaw::thread,
                  "troupe: this type cannot be sent: a thread, or the result "
                  "of one, belongs to one process; use troupe::start or "
                  "troupe::async");
    static_assert(why != flaw::stream,
                  "troupe: this type cannot be sent: a stream belongs to one "
                  "process; send what is written to it or read from it");
    static_assert(why != flaw::iterator,
                  "troupe: this type cannot be sent: an iterator means "
                  "nothing in another process; send the value, the container "
                  "or an index");
    static_assert(why != flaw::time_of_day,
                  "troupe: this type cannot be sent: this hh_mm_ss cuts "
                  "parts of a second off; send the duration");
    static_assert(why != flaw::base_class,
                  "troupe: this type cannot be sent: it has a base class; "
                  "make the base a member, or give it an inspect function or "
                  "a troupe::codec::coding");
    static_assert(why != flaw::too_many_members,
                  "troupe: this type cannot be sent: it has more than 24 "
                  "members; group some in a structure of their own, or give "
                  "it an inspect function");
    static_assert(why != flaw::odd_members,
                  "troupe: this type cannot be sent: it has a reference, a "
                  "constant array, or a member that cannot be made from its "
                  "value; give it an inspect function or a "
                  "troupe::codec::coding");
    static_assert(why != flaw::callable,
                  "troupe: this type cannot be sent: a function object or "
                  "lambda has hidden members; start it in a process with its "
                  "arguments, or give it an inspect function");
    static_assert(why != flaw::virtual_functions,
                  "troupe: this type cannot be sent: it has virtual "
                  "functions; give it an inspect function or a "
                  "troupe::codec::coding");
    static_assert(why != flaw::closed_class,
                  "troupe: this type cannot be sent: it has a constructor or "
                  "private members, so what it is made of cannot be seen; "
                  "give it an inspect function or a troupe::codec::coding");
    static_assert(why != flaw::other,
                  "troupe: this type cannot be sent: the compiler has no "
                  "such type for other processes; send the values it is made "
                  "of");
  }
};

/// Does nothing if `T` can be sent; otherwise the compilation ends with one
/// error that names the part of `T` to blame and says what to do about it.
/// Put it first, and what needs `sendable<T>` behind `if constexpr`.
template <class T>
void require_sendable() {
  if constexpr (!sendable<T>)
    explanation<typename decltype(culprit<T>::get())::type>::give();
}

} // namespace troupe::codec
