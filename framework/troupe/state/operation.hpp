// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/call/entry.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/state/attempt.hpp>
#include <troupe/state/call.hpp>
#include <troupe/state/object.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe::held {

/// A call that waits until its object is such that it can be done.
class parked {
public:
  virtual ~parked() = default;

  /// Returns false if it is still too early. Throws what the function throws.
  [[nodiscard]] virtual bool attempt_on(object& on, codec::packet& answer) = 0;
};

/// Something that can be done with a held object: a function that the program
/// names in a `call`, an `update` or an `offer`. It enters itself into a list
/// during static initialisation, as functions of processes do; nothing else
/// can be called from outside.
///
/// Across processes and programs it is known by a hash of its name in the
/// language's binary interface, which tells types and overloads apart.
class operation {
public:
  /// Decodes the arguments, does it, and encodes the result into `answer`.
  /// Where it must wait, gives what is left to do in `later` instead.
  using function = void (*)(object& on, codec::decoder& arguments,
                            codec::packet& answer,
                            std::unique_ptr<parked>& later);

  operation(const char* name, std::uint64_t type, bool changes,
            function run) noexcept;
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;

  [[nodiscard]] std::uint64_t id() const noexcept {
    return id_;
  }

  /// For people: "account::deposit of a held account".
  [[nodiscard]] std::string name() const;

  /// What to do where a state's program does not name it: the line to write
  /// there, as far as a line can.
  [[nodiscard]] std::string advice() const;

  [[nodiscard]] std::uint64_t type() const noexcept {
    return type_;
  }

  [[nodiscard]] bool changes() const noexcept {
    return changes_;
  }

  void run(object& on, codec::decoder& arguments, codec::packet& answer,
           std::unique_ptr<parked>& later) const {
    run_(on, arguments, answer, later);
  }

  /// Returns the operation with that id. Throws `unknown_function` if this
  /// program names none, or several.
  [[nodiscard]] static const operation& find(std::uint64_t id);

private:
  const char* name_;
  std::uint64_t id_;
  std::uint64_t type_;
  function run_;
  operation* next_;
  bool changes_;
};

/// What is known of something callable from its type: the object that it works
/// on, its other parameters, its result.
template <class T, class R, bool Changes, class... Ps>
struct signature_of {
  using object_type = T;
  using returned = R;
  using parameters = std::tuple<std::decay_t<Ps>...>;
  static constexpr bool known = true;
  static constexpr std::size_t arity = sizeof...(Ps);
  static constexpr bool changes = Changes;
  static constexpr bool changes_arguments
    = ((std::is_lvalue_reference_v<Ps>
        && !std::is_const_v<std::remove_reference_t<Ps>>)
       || ...);
};

/// Of what has no object as its first parameter, or one of type `auto`: nothing.
struct unknown_signature : signature_of<void, calls::refused, false> {
  static constexpr bool known = false;
};

template <class F>
struct call_signature : unknown_signature {};
template <class F>
  requires requires { &F::operator(); }
struct call_signature<F> : call_signature<decltype(&F::operator())> {};

template <class R, class T, class... Ps>
struct call_signature<R (*)(T, Ps...)>
  : signature_of<std::remove_cvref_t<T>, R,
                 std::is_lvalue_reference_v<T>
                   && !std::is_const_v<std::remove_reference_t<T>>,
                 Ps...> {};
template <class R, class T, class... Ps>
struct call_signature<R (*)(T, Ps...) noexcept>
  : call_signature<R (*)(T, Ps...)> {};

// Of a lambda: its first parameter is the object.
template <class C, class R, class T, class... Ps>
  requires std::is_empty_v<C>
struct call_signature<R (C::*)(T, Ps...) const>
  : call_signature<R (*)(T, Ps...)> {};
template <class C, class R, class T, class... Ps>
  requires std::is_empty_v<C>
struct call_signature<R (C::*)(T, Ps...) const noexcept>
  : call_signature<R (*)(T, Ps...)> {};

/// A member function or data member of a class.
template <class M>
struct member_signature : unknown_signature {};
template <class C, class R, class... Ps>
struct member_signature<R (C::*)(Ps...)> : signature_of<C, R, true, Ps...> {};
template <class C, class R, class... Ps>
struct member_signature<R (C::*)(Ps...) const>
  : signature_of<C, R, false, Ps...> {};
template <class C, class R, class... Ps>
struct member_signature<R (C::*)(Ps...) noexcept>
  : signature_of<C, R, true, Ps...> {};
template <class C, class R, class... Ps>
struct member_signature<R (C::*)(Ps...) const noexcept>
  : signature_of<C, R, false, Ps...> {};
template <class C, class R, class... Ps>
struct member_signature<R (C::*)(Ps...)&> : signature_of<C, R, true, Ps...> {};
template <class C, class R, class... Ps>
struct member_signature<R (C::*)(Ps...) const&>
  : signature_of<C, R, false, Ps...> {};
template <class C, class R, class... Ps>
struct member_signature<R (C::*)(Ps...) & noexcept>
  : signature_of<C, R, true, Ps...> {};
template <class C, class R, class... Ps>
struct member_signature<R (C::*)(Ps...) const & noexcept>
  : signature_of<C, R, false, Ps...> {};
template <class C, class R>
  requires std::is_object_v<R>
struct member_signature<R C::*> : signature_of<C, R, false> {};

/// The function or member `F`, as a type.
template <auto F>
struct named {
  using signature = typename std::conditional_t<
    std::is_member_pointer_v<decltype(F)>,
    std::type_identity<member_signature<std::remove_const_t<decltype(F)>>>,
    std::type_identity<call_signature<std::remove_const_t<decltype(F)>>>>::type;

  template <class... Args>
  static decltype(auto) call(Args&&... args) {
    return std::invoke(F, std::forward<Args>(args)...);
  }
};

/// A lambda without captures, as a type.
template <calls::captureless_lambda F>
struct unnamed {
  using signature = call_signature<F>;

  template <class... Args>
  static decltype(auto) call(Args&&... args) {
    return F{}(std::forward<Args>(args)...);
  }
};

/// What the caller gets: references become values.
template <class Returned>
struct result_of_returned {
  using type = std::decay_t<Returned>;
};
template <class R>
struct result_of_returned<attempt<R>> {
  using type = R;
};

template <class Callable>
using result_of =
  typename result_of_returned<typename Callable::signature::returned>::type;

template <class Callable>
inline constexpr bool may_wait
  = is_attempt<typename Callable::signature::returned>;

/// Calls `Callable` on a held `T`, with decoded arguments.
///
/// Arguments and result are coded as the client needs it; the function itself
/// runs as if nothing of that were.
template <class T, class Callable>
class execution {
  using parameters = typename Callable::signature::parameters;
  using result = result_of<Callable>;

public:
  static void run(object& on, codec::decoder& from, codec::packet& answer,
                  std::unique_ptr<parked>& later) {
    auto arguments = from.load<parameters>();
    from.finish();
    if constexpr (may_wait<Callable>) {
      auto waiting = std::make_unique<waiting_call>(std::move(arguments));
      if (!waiting->attempt_on(on, answer))
        later = std::move(waiting);
    } else if constexpr (std::is_void_v<result>) {
      call(on, std::move(arguments));
      begin_answer(answer);
    } else {
      const result& value = call(on, std::move(arguments));
      begin_answer(answer);
      codec::encode_into(answer, value);
    }
  }

private:
  class waiting_call final : public parked {
  public:
    explicit waiting_call(parameters&& arguments)
      : arguments_(std::move(arguments)) {
    }

    bool attempt_on(object& on, codec::packet& answer) override {
      auto outcome = call(on, arguments_);
      if (!outcome)
        return false;
      begin_answer(answer);
      if constexpr (!std::is_void_v<result>)
        codec::encode_into(answer, static_cast<const result&>(*outcome));
      return true;
    }

  private:
    parameters arguments_;
  };

  template <class Arguments>
  static decltype(auto) call(object& on, Arguments&& arguments) {
    const wire::scope plain{nullptr};
    return std::apply(
      [&](auto&&... each) -> decltype(auto) {
        return Callable::call(*static_cast<T*>(on.address()),
                              std::forward<decltype(each)>(each)...);
      },
      std::forward<Arguments>(arguments));
  }
};

/// The entry of an operation; naming it anywhere in the program enters it.
template <class T, class Callable>
inline operation operation_of{typeid(execution<T, Callable>).name(),
                              type_hash<T>(), Callable::signature::changes,
                              &execution<T, Callable>::run};

} // namespace troupe::held
