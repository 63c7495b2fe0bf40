// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/arguments.hpp>
#include <troupe/calls/entry.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/state/attempt.hpp>
#include <troupe/state/call.hpp>
#include <troupe/state/call_context.hpp>
#include <troupe/state/object.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe::held {

/// Says in an `unknown_function` that the state's program names no operation of
/// that id. `throw_failure` recognises it, and adds what the caller knows.
inline constexpr std::string_view not_named
  = "the state's program does not name it";

/// A call that waits until its object is such that it can be done.
class parked {
public:
  virtual ~parked() = default;

  /// Returns false if it is still too early. Throws what the function throws.
  [[nodiscard]] virtual bool
  attempt_on(object& on, const call_context& by, codec::packet& answer)
    = 0;
};

/// What the code of an operation is: decodes the arguments, does it, and
/// encodes the result into `answer`. Where it must wait, gives what is left to
/// do in `later` instead.
using operation_code = void(object& on, const call_context& by,
                            codec::decoder& arguments, codec::packet& answer,
                            std::unique_ptr<parked>& later);

/// Something that can be done with a held object: a function that the program
/// names in a `call`, an `update` or an `offer`. It is known by its name,
/// across processes and programs.
class operation : public calls::entry_of_kind<operation_code> {
public:
  operation(const char* mangled, std::uint64_t type, bool changes,
            operation_code* run) noexcept
    : entry_of_kind(run, mangled), type_(type), changes_(changes) {
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

  /// Returns the operation with that id. Throws `unknown_function` if this
  /// program names none, or several.
  [[nodiscard]] static const operation& find(std::uint64_t id);

private:
  std::uint64_t type_;
  bool changes_;
};

/// What is known of a function that is called on an object: the object, and the
/// signature of what is left when that is given, and the context where the
/// function takes it.
template <class Callable>
struct on_object {
  using with_context = calls::without_first<typename Callable::signature>;
  using object = calls::object_parameter<typename with_context::first>;
  using object_type = typename object::type;
  static constexpr bool changes = object::changes;
  static constexpr bool known = with_context::known && object::usable;

  using behind_context = calls::without_first<with_context>;
  static constexpr bool takes_context
    = std::is_same_v<typename behind_context::first, const call_context&>;
  using signature
    = std::conditional_t<takes_context, behind_context, with_context>;
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
  typename result_of_returned<typename Callable::signature::result>::type;

template <class Callable>
inline constexpr bool may_wait
  = is_attempt<typename Callable::signature::result>;

/// Calls `Callable` on a held `T`, with decoded arguments.
///
/// Arguments and result are coded as the client needs it.
template <class T, class Callable>
class execution {
  using parameters = typename on_object<Callable>::signature::parameters;
  using result = result_of<Callable>;

public:
  static void run(object& on, const call_context& by, codec::decoder& from,
                  codec::packet& answer, std::unique_ptr<parked>& later) {
    auto arguments = codec::decode_all<parameters>(from);
    if constexpr (may_wait<Callable>) {
      auto waiting = std::make_unique<waiting_call>(std::move(arguments));
      if (!waiting->attempt_on(on, by, answer))
        later = std::move(waiting);
    } else if constexpr (std::is_void_v<result>) {
      call(on, by, std::move(arguments));
      begin_answer(answer);
    } else {
      answer_with(answer, by, call(on, by, std::move(arguments)));
    }
  }

private:
  class waiting_call final : public parked {
  public:
    explicit waiting_call(parameters&& arguments)
      : arguments_(std::move(arguments)) {
    }

    bool attempt_on(object& on, const call_context& by,
                    codec::packet& answer) override {
      auto outcome = call(on, by, arguments_);
      if (!outcome)
        return false;
      if constexpr (std::is_void_v<result>)
        begin_answer(answer);
      else
        answer_with(answer, by, *outcome);
      return true;
    }

  private:
    parameters arguments_;
  };

  template <class Arguments>
  static decltype(auto)
  call(object& on, const call_context& by, Arguments&& arguments) {
    auto& held = *static_cast<T*>(on.address());
    if constexpr (on_object<Callable>::takes_context)
      return calls::run<Callable>(std::forward<Arguments>(arguments), held, by);
    else
      return calls::run<Callable>(std::forward<Arguments>(arguments), held);
  }

  static void answer_with(
    codec::packet& answer, const call_context& by,
    const std::conditional_t<std::is_void_v<result>, int, result>& value) {
    begin_answer(answer);
    codec::encoder{answer, codec::lends::no, by.coding}.save(value);
  }
};

/// The entry of an operation; naming it anywhere in the program enters it.
template <class T, class Callable>
inline operation operation_of{typeid(execution<T, Callable>).name(),
                              type_hash<T>(), on_object<Callable>::changes,
                              &execution<T, Callable>::run};

} // namespace troupe::held
