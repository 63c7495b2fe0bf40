// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/signature.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

/// Functions that a program names, each as a type of its own: what names it is
/// known in every process of the run, since it is part of the program.
namespace troupe::calls {

/// A lambda without captures and without `auto` parameters: one type, one
/// function.
template <class F>
concept captureless_lambda = std::is_class_v<F> && std::is_empty_v<F>
                             && std::is_default_constructible_v<F>
                             && requires { &F::operator(); };

/// The function `F` of a `start<F>`, as a type.
template <auto F>
struct named {
  using function_type = std::remove_const_t<decltype(F)>;
  using signature = calls::signature<function_type>;
  static constexpr auto function = F;

  // Not `std::invoke`: `<functional>` is a tenth of what a short program has to
  // compile.
  template <class... Args>
  static decltype(auto) call(Args&&... args) {
    if constexpr (!std::is_member_pointer_v<function_type>)
      return F(std::forward<Args>(args)...);
    else
      return call_on(std::forward<Args>(args)...);
  }

private:
  template <class Object, class... Args>
  static decltype(auto) call_on(Object&& object, Args&&... args) {
    if constexpr (std::is_member_object_pointer_v<function_type>)
      return std::forward<Object>(object).*F;
    else if constexpr (std::is_invocable_v<function_type, Object, Args...>)
      return (std::forward<Object>(object).*F)(std::forward<Args>(args)...);
    else
      // A member function for lvalues only.
      return (object.*F)(std::forward<Args>(args)...);
  }
};

/// A captureless lambda, as a type.
template <captureless_lambda F>
struct lambda {
  using function_type = F;
  using signature = calls::signature<F>;
  static constexpr F function{};

  template <class... Args>
  static decltype(auto) call(Args&&... args) {
    return F{}(std::forward<Args>(args)...);
  }
};

/// What was given instead of a captureless lambda, as a type.
template <class F>
struct misnamed {
  struct signature : unknown_signature {
    using given = F;
  };
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

/// What was given instead of a function that can be named.
template <class F, class Plain = std::remove_cvref_t<F>>
concept not_nameable = std::is_function_v<std::remove_pointer_t<Plain>>
                       || std::is_member_pointer_v<Plain>
                       || (std::is_class_v<Plain> && !captureless_lambda<Plain>
                           && !std::is_aggregate_v<Plain>);

/// Ends the compilation with one line that says what to write instead.
template <class F>
void refuse() {
  constexpr bool is_pointer = std::is_pointer_v<std::decay_t<F>>
                              || std::is_member_pointer_v<std::decay_t<F>>;
  constexpr bool captures = !is_pointer && !std::is_empty_v<F>;
  static_assert(!is_pointer, "troupe: name the function in angle brackets: "
                             "start<function>(arguments...)");
  static_assert(!captures,
                "troupe: a lambda or function object for another process must "
                "not capture: pass what it needs as arguments");
  static_assert(is_pointer || captures,
                "troupe: a lambda for another process needs the types of its "
                "parameters written out, not `auto`");
}

} // namespace troupe::calls
