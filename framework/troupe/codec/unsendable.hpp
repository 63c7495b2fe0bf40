// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>
#include <troupe/codec/standard.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace troupe::codec {

/// Why a type cannot be sent. The first that applies counts.
enum class flaw : std::uint8_t {
  function,
  pointer,
  reference,
  constant,
  array,
  enumeration,
  no_constructor,
  united,
  view,
  shared_pointer,
  unique_pointer,
  rule,
  erased_function,
  erased_value,
  atomic,
  lock,
  thread,
  stream,
  iterator,
  base_class,
  too_many_members,
  odd_members,
  callable,
  virtual_functions,
  time_of_day,
  closed_class,
  other,
};

/// A view: it has a place and a length in this process, and owns nothing.
template <class T>
concept borrowing = requires(const T& view) {
  view.size();
  view.begin();
} && std::is_trivially_copyable_v<T> && !std::is_aggregate_v<T>;

template <class T>
concept reference_wrapping = requires(const T& wrapper) {
  { wrapper.get() } -> std::same_as<typename T::type&>;
};

/// Looks for the reason by what a type has, so that no header is needed to
/// know a class of the standard library.
template <class T>
consteval flaw flaw_of_class() {
  if constexpr (reference_wrapping<T>)
    return flaw::reference;
  else if constexpr (inspectable<T> && !std::is_default_constructible_v<T>)
    return flaw::no_constructor;
  else if constexpr (std::is_union_v<T>)
    return flaw::united;
  else if constexpr (borrowing<T>)
    return flaw::view;
  else if constexpr (requires(const T& x) { x.use_count(); })
    return flaw::shared_pointer;
  else if constexpr (requires(T& x) { x.release(), x.get_deleter(); })
    return flaw::unique_pointer;
  else if constexpr (
    requires { typename T::key_type; }
    || requires { typename T::value_compare; })
    return flaw::rule;
  else if constexpr (requires(const T& x) { x.target_type(); })
    return flaw::erased_function;
  else if constexpr (requires(const T& x) { x.has_value(), x.type(); })
    return flaw::erased_value;
  else if constexpr (
    requires(const T& x) { x.is_lock_free(); }
    || requires(T& x) { x.test_and_set(); })
    return flaw::atomic;
  else if constexpr (
    requires(T& x) { x.lock(), x.unlock(); }
    || requires(T& x) { x.notify_one(); } || requires(T& x) { x.try_acquire(); }
    || requires(T& x) { x.arrive_and_wait(); })
    return flaw::lock;
  else if constexpr (
    requires(T& x) { x.joinable(); } || requires(T& x) { x.wait(), x.valid(); }
    || requires(T& x) { x.get_future(); }
    || requires(T& x) { x.stop_requested(); })
    return flaw::thread;
  else if constexpr (
    requires(T& x) { x.rdbuf(); } || requires(T& x) { x.pubsync(); })
    return flaw::stream;
  else if constexpr (
    requires { typename T::iterator_category; }
    || requires { typename T::iterator_concept; })
    return flaw::iterator;
  else if constexpr (requires { typename T::precision; })
    return flaw::time_of_day;
  else if constexpr (members::has_base<T>)
    return flaw::base_class;
  else if constexpr (std::is_aggregate_v<T>)
    return members::count<T> == members::unknown ? flaw::odd_members
           : members::visible<T>                 ? flaw::odd_members
                                                 : flaw::too_many_members;
  else if constexpr (requires { &T::operator(); })
    return flaw::callable;
  else if constexpr (std::is_polymorphic_v<T>)
    return flaw::virtual_functions;
  else
    return flaw::closed_class;
}

/// Why `T`, which is the part to blame, cannot be sent.
template <class T>
consteval flaw flaw_of() {
  if constexpr (std::is_member_pointer_v<T>
                || std::is_function_v<std::remove_pointer_t<T>>)
    return flaw::function;
  else if constexpr (std::is_pointer_v<T> || std::is_null_pointer_v<T>)
    return flaw::pointer;
  else if constexpr (std::is_reference_v<T>)
    return flaw::reference;
  else if constexpr (!std::is_same_v<T, std::remove_cv_t<T>>)
    return flaw::constant;
  else if constexpr (std::is_array_v<T>)
    return flaw::array;
  else if constexpr (std::is_enum_v<T>)
    return flaw::enumeration;
  else if constexpr (std::is_class_v<T> || std::is_union_v<T>)
    return flaw_of_class<T>();
  else
    return flaw::other;
}

} // namespace troupe::codec
