// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/arguments.hpp>
#include <troupe/calls/entry.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/signals.hpp>

#include <concepts>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe {

namespace hosting {

/// A function that a process can be started with: takes its arguments out of a
/// message, and answers with the result, if it has one that can be sent. Throws
/// what it throws, and `malformed_bytes`.
using function_entry
  = calls::entry_of_kind<std::optional<codec::packet>(calls::arguments)>;

/// Runs `Callable` on decoded arguments and encodes what it returns; a result
/// that cannot be sent is dropped, `start` does not ask for it.
template <class Callable>
std::optional<codec::packet> run_function(calls::arguments given) {
  using signature = typename Callable::signature;
  using result = std::decay_t<typename signature::result>;
  auto values = given.take<signature>();
  if constexpr (std::is_void_v<result>) {
    calls::run<Callable>(std::move(values));
    return std::nullopt;
  } else if constexpr (codec::sendable<result>) {
    return codec::encode<result>(calls::run<Callable>(std::move(values)));
  } else {
    static_cast<void>(calls::run<Callable>(std::move(values)));
    return std::nullopt;
  }
}

/// The entry of `Callable`; naming it anywhere in the program registers it.
template <class Callable>
inline function_entry entry_of{&run_function<Callable>};

/// Whether a future tells what the function throws.
enum class awaited : bool { no, yes };

/// Whether the signals of `leaves_signals_to_root` pass a process by.
enum class signals_pass : bool { no, yes };

/// Requests a process that runs `function`. `arguments` is left empty.
/// Throws `invalid_state`, `invalid_argument`, `limit_reached`.
[[nodiscard]] memory::slot_id
request_process(const function_entry& function, codec::packet& arguments,
                const start_options& options, awaited by_future,
                signals_pass by);

template <class Callable, class... Args>
[[nodiscard]] memory::slot_id
request(const start_options& options, awaited by_future, Args&&... args) {
  using signature = typename Callable::signature;
  calls::require_accepts<signature, Args&&...>();
  if constexpr (calls::accepts<signature, Args&&...>) {
    auto arguments
      = calls::pack_arguments<signature>(std::forward<Args>(args)...);
    return request_process(entry_of<Callable>, arguments, options, by_future,
                           signals_pass{leaves_signals_to_root<Callable>});
  } else {
    return {};
  }
}

template <class T>
concept options_like = std::same_as<std::remove_cvref_t<T>, start_options>;

/// Whether the first of `Args` is what may be said about a process.
template <class... Args>
concept starts_with_options
  = options_like<std::tuple_element_t<0, std::tuple<Args..., void>>>;

} // namespace hosting

/// Starts a process that calls `F(args...)` and ends.
///
/// `F` is a function, static or not: of a member function the first argument is
/// the object, a copy of which is in the new process and ends there. Arguments
/// are converted to its parameter types here and arrive as copies there. What
/// cannot be sent does not compile. The call returns when the process is
/// requested, not when it runs; a process that cannot be made has an
/// `exit_status` that says why. So has one that does not have the function:
/// `unknown_function`, because its library was loaded after `program` was made,
/// or another build of it was put in its place on disk.
/// Throws `invalid_state` (no `troupe::program`), `limit_reached`,
/// `invalid_argument` (a name that is too long).
template <auto F, class... Args>
[[nodiscard]] process start(start_options options, Args&&... args) {
  return process{hosting::request<calls::named<F>>(
    options, hosting::awaited::no, std::forward<Args>(args)...)};
}

template <auto F, class... Args>
  requires(!hosting::starts_with_options<Args...>)
[[nodiscard]] process start(Args&&... args) {
  return process{hosting::request<calls::named<F>>(
    start_options{}, hosting::awaited::no, std::forward<Args>(args)...)};
}

/// The same for a lambda without captures, whose parameters are not `auto`.
template <calls::captureless_lambda F, class... Args>
[[nodiscard]] process start(start_options options, F, Args&&... args) {
  return process{hosting::request<calls::lambda<F>>(
    options, hosting::awaited::no, std::forward<Args>(args)...)};
}

template <calls::captureless_lambda F, class... Args>
[[nodiscard]] process start(F, Args&&... args) {
  return process{hosting::request<calls::lambda<F>>(
    start_options{}, hosting::awaited::no, std::forward<Args>(args)...)};
}

/// What cannot be started, and a compile error that says why.
template <calls::not_nameable F, class... Args>
process start(const start_options&, F&&, Args&&...) {
  calls::refuse<std::remove_cvref_t<F>>();
  return process{};
}

template <calls::not_nameable F, class... Args>
  requires(!hosting::options_like<F>)
process start(F&&, Args&&...) {
  calls::refuse<std::remove_cvref_t<F>>();
  return process{};
}

} // namespace troupe
