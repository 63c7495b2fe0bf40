// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/members.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

namespace troupe::calls {

using codec::members::type_list;

/// How a member function takes its object, as its qualifiers say.
enum class object_use : std::uint8_t { changes, reads, consumes };

/// Stands for the object among the parameters of a member of `C`: for whoever
/// passes a copy a `C`, for whoever has the object at hand what
/// `object_parameter` says.
template <class C, object_use Use>
struct member_object {};

/// The type that an argument for a parameter `P` travels as.
template <class P>
struct passed_as : std::decay<P> {};
template <class C, object_use Use>
struct passed_as<member_object<C, Use>> {
  using type = C;
};

/// Whether a function can change its argument for a parameter `P`.
template <class P>
inline constexpr bool changes_argument
  = std::is_lvalue_reference_v<P>
    && !std::is_const_v<std::remove_reference_t<P>>;

/// What is known of a function from its type: result and parameters.
template <class R, class... Ps>
struct signature_of {
  using result = R;
  /// The parameters as the function has them.
  using written = type_list<Ps...>;
  /// The same as they travel.
  using parameters = std::tuple<typename passed_as<Ps>::type...>;
  static constexpr bool known = true;
  static constexpr bool changes_arguments = (changes_argument<Ps> || ...);
  static constexpr std::size_t arity = sizeof...(Ps);
};

/// What a call gives that does not compile: whatever is made of it compiles.
/// Its functions are not defined.
struct refused {
  template <class T>
  operator T() const; // NOLINT(google-explicit-constructor)
  [[nodiscard]] refused get() const;
  [[nodiscard]] refused operator*() const;
  [[nodiscard]] refused* operator->() const;
  [[nodiscard]] refused* begin() const;
  [[nodiscard]] refused* end() const;
};

/// Of what is no function, or has a parameter of type `auto` or `...`: nothing.
struct unknown_signature : signature_of<refused> {
  static constexpr bool known = false;
};

/// A function, and as `of<C>` the same as a member of `C`.
template <object_use Use, class R, class... Ps>
struct known_function : signature_of<R, Ps...> {
  template <class C>
  using of = signature_of<R, member_object<C, Use>, Ps...>;
};

/// The signature of a type of functions, whatever qualifies them.
template <class F>
struct function_signature : unknown_signature {
  template <class>
  using of = unknown_signature;
};
template <class R, class... Ps>
struct function_signature<R(Ps...)>
  : known_function<object_use::changes, R, Ps...> {};
template <class R, class... Ps>
struct function_signature<R(Ps...) noexcept>
  : known_function<object_use::changes, R, Ps...> {};
template <class R, class... Ps>
struct function_signature<R(Ps...) const>
  : known_function<object_use::reads, R, Ps...> {};
template <class R, class... Ps>
struct function_signature<R(Ps...) const noexcept>
  : known_function<object_use::reads, R, Ps...> {};
template <class R, class... Ps>
struct function_signature<R(Ps...)&>
  : known_function<object_use::changes, R, Ps...> {};
template <class R, class... Ps>
struct function_signature<R(Ps...) & noexcept>
  : known_function<object_use::changes, R, Ps...> {};
template <class R, class... Ps>
struct function_signature<R(Ps...) const&>
  : known_function<object_use::reads, R, Ps...> {};
template <class R, class... Ps>
struct function_signature<R(Ps...) const & noexcept>
  : known_function<object_use::reads, R, Ps...> {};
template <class R, class... Ps>
struct function_signature<R(Ps...) &&>
  : known_function<object_use::consumes, R, Ps...> {};
template <class R, class... Ps>
struct function_signature<R(Ps...) && noexcept>
  : known_function<object_use::consumes, R, Ps...> {};

/// The type of functions that a class's `operator()` has.
template <class Operator>
struct call_operator;
template <class F, class C>
struct call_operator<F C::*> : function_signature<F> {};

/// The signature of a function, pointer to function or to member, or function
/// object. A member is a function whose first parameter is the object.
template <class F>
struct signature : function_signature<F> {};
template <class F>
struct signature<F*> : function_signature<F> {};
template <class F, class C>
  requires std::is_function_v<F>
struct signature<F C::*> : function_signature<F>::template of<C> {};
template <class M, class C>
  requires std::is_object_v<M>
struct signature<M C::*>
  : signature_of<M, member_object<C, object_use::reads>> {};
template <class F>
  requires requires { &F::operator(); }
struct signature<F> : call_operator<decltype(&F::operator())> {};

/// The same function where its first parameter, a `first`, is not given by who
/// calls, but by the place where it runs: an object, or the actor that it is.
template <class Signature, class Written = typename Signature::written>
struct without_first : unknown_signature {
  using first = void;
};
template <class Signature, class First, class... Ps>
struct without_first<Signature, type_list<First, Ps...>>
  : signature_of<typename Signature::result, Ps...> {
  using first = First;
};

/// The other way round: the function that has one parameter more, at first.
template <class First, class Signature,
          class Written = typename Signature::written>
struct with_first : unknown_signature {};
template <class First, class Signature, class... Ps>
  requires Signature::known
struct with_first<First, Signature, type_list<Ps...>>
  : signature_of<typename Signature::result, First, Ps...> {};

/// What a first parameter says of the object that is given for it.
template <class First>
struct object_parameter {
  using type = std::remove_cvref_t<First>;
  static constexpr bool changes = changes_argument<First>;
  /// Whether it takes an object that is there already, and stays.
  static constexpr bool usable = !std::is_rvalue_reference_v<First>;
};
template <class C, object_use Use>
struct object_parameter<member_object<C, Use>> {
  using type = C;
  static constexpr bool changes = Use == object_use::changes;
  static constexpr bool usable = Use != object_use::consumes;
};

} // namespace troupe::calls
