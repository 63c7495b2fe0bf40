// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe::calls {

/// What is known of a function from its type: result and parameters.
template <class R, class... Ps>
struct signature_of {
  using result = R;
  using parameters = std::tuple<std::decay_t<Ps>...>;
  static constexpr bool known = true;
  static constexpr bool changes_arguments
    = ((std::is_lvalue_reference_v<Ps>
        && !std::is_const_v<std::remove_reference_t<Ps>>)
       || ...);
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

/// The signature of a type of functions, whatever qualifies them. `Before` are
/// parameters that stand in front of its own.
template <class F, class... Before>
struct function_signature : unknown_signature {};
template <class R, class... Ps, class... Before>
struct function_signature<R(Ps...), Before...>
  : signature_of<R, Before..., Ps...> {};
template <class R, class... Ps, class... Before>
struct function_signature<R(Ps...) noexcept, Before...>
  : signature_of<R, Before..., Ps...> {};
template <class R, class... Ps, class... Before>
struct function_signature<R(Ps...) const, Before...>
  : signature_of<R, Before..., Ps...> {};
template <class R, class... Ps, class... Before>
struct function_signature<R(Ps...) const noexcept, Before...>
  : signature_of<R, Before..., Ps...> {};
template <class R, class... Ps, class... Before>
struct function_signature<R(Ps...)&, Before...>
  : signature_of<R, Before..., Ps...> {};
template <class R, class... Ps, class... Before>
struct function_signature<R(Ps...) & noexcept, Before...>
  : signature_of<R, Before..., Ps...> {};
template <class R, class... Ps, class... Before>
struct function_signature<R(Ps...) const&, Before...>
  : signature_of<R, Before..., Ps...> {};
template <class R, class... Ps, class... Before>
struct function_signature<R(Ps...) const & noexcept, Before...>
  : signature_of<R, Before..., Ps...> {};
template <class R, class... Ps, class... Before>
struct function_signature<R(Ps...)&&, Before...>
  : signature_of<R, Before..., Ps...> {};
template <class R, class... Ps, class... Before>
struct function_signature<R(Ps...) && noexcept, Before...>
  : signature_of<R, Before..., Ps...> {};

/// The type of functions that a class's `operator()` has.
template <class Operator>
struct call_operator;
template <class F, class C>
struct call_operator<F C::*> : function_signature<F> {};

/// The signature of a function, pointer to function or to member, or function
/// object. A member is a function whose first parameter is the object, by value.
template <class F>
struct signature : function_signature<F> {};
template <class F>
struct signature<F*> : function_signature<F> {};
template <class F, class C>
  requires std::is_function_v<F>
struct signature<F C::*> : function_signature<F, C> {};
template <class M, class C>
  requires std::is_object_v<M>
struct signature<M C::*> : signature_of<M, C> {};
template <class F>
  requires requires { &F::operator(); }
struct signature<F> : call_operator<decltype(&F::operator())> {};

/// A lambda without captures and without `auto` parameters: one type, one
/// function.
template <class F>
concept captureless_lambda = std::is_class_v<F> && std::is_empty_v<F>
                             && std::is_default_constructible_v<F>
                             && requires { &F::operator(); };

/// The function `f` of a `start<f>`, as a type.
template <auto F>
struct named {
  using signature = calls::signature<std::remove_const_t<decltype(F)>>;

  // Not `std::invoke`: `<functional>` is a tenth of what a short program has to
  // compile.
  template <class... Args>
  static decltype(auto) call(Args&&... args) {
    if constexpr (!std::is_member_pointer_v<decltype(F)>)
      return F(std::forward<Args>(args)...);
    else
      return call_on(std::forward<Args>(args)...);
  }

private:
  template <class Object, class... Args>
  static decltype(auto) call_on(Object&& object, Args&&... args) {
    if constexpr (std::is_member_object_pointer_v<decltype(F)>)
      return std::forward<Object>(object).*F;
    else if constexpr (std::is_invocable_v<decltype(F), Object, Args...>)
      return (std::forward<Object>(object).*F)(std::forward<Args>(args)...);
    else
      // A member function for lvalues only.
      return (object.*F)(std::forward<Args>(args)...);
  }
};

/// A captureless lambda, as a type.
template <captureless_lambda F>
struct lambda {
  using signature = calls::signature<F>;

  template <class... Args>
  static decltype(auto) call(Args&&... args) {
    return F{}(std::forward<Args>(args)...);
  }
};

/// What was given instead of a captureless lambda, as a type.
template <class F>
struct misnamed {
  using signature = unknown_signature;
  using given = F;
};

/// A function given as an argument, as a type.
template <class F>
struct argument_of {
  using type = misnamed<F>;
};
template <captureless_lambda F>
struct argument_of<F> {
  using type = lambda<F>;
};
template <class F>
using argument = typename argument_of<F>::type;

} // namespace troupe::calls
