// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/call/entry.hpp>
#include <troupe/process/process.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace troupe {

namespace hosting {

/// Whether a future tells what the function throws.
enum class awaited : bool { no, yes };

/// Requests a process that runs `function`. `arguments` is left empty.
/// Throws `invalid_state`, `invalid_argument`, `limit_reached`.
[[nodiscard]] memory::slot_id
request_process(const calls::entry& function, codec::packet& arguments,
                const start_options& options, awaited by_future);

template <class Callable, class... Args>
[[nodiscard]] memory::slot_id
request(const start_options& options, awaited by_future, Args&&... args) {
  calls::require_startable<Callable, Args&&...>();
  if constexpr (calls::startable<Callable, Args&&...>) {
    auto arguments
      = calls::encode_arguments<Callable>(std::forward<Args>(args)...);
    return request_process(calls::entry_of<Callable>, arguments, options,
                           by_future);
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
template <calls::not_startable F, class... Args>
process start(const start_options&, F&&, Args&&...) {
  calls::refuse_to_start<std::remove_cvref_t<F>>();
  return process{};
}

template <calls::not_startable F, class... Args>
  requires(!hosting::options_like<F>)
process start(F&&, Args&&...) {
  calls::refuse_to_start<std::remove_cvref_t<F>>();
  return process{};
}

} // namespace troupe
