// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/calls/future_base.hpp>
#include <troupe/codec/parcel.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/start.hpp>

#include <type_traits>
#include <utility>

namespace troupe {

namespace hosting {

/// Throws `invalid_state` in a process that was forked off the one that has the
/// future: the result is that one's.
void require_own_future();

/// Waits for the process. Throws `remote_error` if it ended otherwise than by
/// returning.
void require_success(const process_view& of);

/// The same, and takes the result.
[[nodiscard]] codec::parcel take_result(const process_view& of);

/// Starts a process whose exception a future is to tell.
template <class Callable, class... Args>
[[nodiscard]] process
start_awaited(const start_options& options, Args&&... args) {
  return process{
    request<Callable>(options, awaited::yes, std::forward<Args>(args)...)};
}

} // namespace hosting

/// The result of a function that runs in a process of its own; the shape of
/// `std::future`. The destructor is that of the process: it joins.
///
/// What the function throws is told once, by `get`. Where nobody has called
/// that, the end of the future says it on standard error; and where nobody can
/// (the parent is dead, or the process was detached), the process itself.
template <class R>
class future : public calls::future_base<future<R>> {
public:
  future() noexcept = default;

  explicit future(process runner) noexcept : runner_(std::move(runner)) {
  }

  /// Returns whether there is a result to get.
  [[nodiscard]] bool valid() const noexcept {
    return runner_.joinable();
  }

  /// Waits for the result and gives it, once: `valid()` is false afterwards.
  /// Throws `remote_error` when the function threw or the process died,
  /// `malformed_bytes`, `invalid_state` when there is nothing to get, or when
  /// user code has forked this process off the one that has the future.
  /// @blocks on the process
  R get() {
    hosting::require_own_future();
    const process runner = std::move(runner_);
    if constexpr (std::is_void_v<R>) {
      hosting::require_success(runner.view());
    } else {
      const auto result = hosting::take_result(runner.view());
      auto from = result.read(codec::type_name<R>());
      auto value = from.template load<R>();
      from.finish();
      return value;
    }
  }

  /// The process that computes the result.
  [[nodiscard]] process& runner() noexcept {
    return runner_;
  }

  [[nodiscard]] const process& runner() const noexcept {
    return runner_;
  }

private:
  friend calls::future_base<future>;

  [[nodiscard]] bool wait_before(deadline limit) const {
    return runner_.view().join_before(limit).has_value();
  }

  process runner_;
};

namespace hosting {

template <class Callable, class... Args>
[[nodiscard]] auto async(const start_options& options, Args&&... args) {
  using signature = typename Callable::signature;
  using result = std::decay_t<typename signature::result>;
  constexpr bool accepts = calls::accepts<signature, Args&&...>;
  calls::require_accepts<signature, Args&&...>();
  if constexpr (accepts)
    calls::require_returnable<result>();
  if constexpr (!signature::known)
    return calls::refused{};
  else if constexpr (!accepts || !calls::returnable<result>)
    return future<result>{};
  else
    return future<result>{
      start_awaited<Callable>(options, std::forward<Args>(args)...)};
}

} // namespace hosting

/// Starts a process that calls `F(args...)` and sends the result back.
/// Arguments and errors as for `start`; the result type must be sendable.
template <auto F, class... Args>
  requires(!hosting::starts_with_options<Args...>)
[[nodiscard]] auto async(Args&&... args) {
  return hosting::async<calls::named<F>>(start_options{},
                                         std::forward<Args>(args)...);
}

template <calls::captureless_lambda F, class... Args>
[[nodiscard]] auto async(F, Args&&... args) {
  return hosting::async<calls::lambda<F>>(start_options{},
                                          std::forward<Args>(args)...);
}

/// The same with what may be said about the process.
template <auto F, class... Args>
[[nodiscard]] auto async(const start_options& options, Args&&... args) {
  return hosting::async<calls::named<F>>(options, std::forward<Args>(args)...);
}

template <calls::captureless_lambda F, class... Args>
[[nodiscard]] auto async(const start_options& options, F, Args&&... args) {
  return hosting::async<calls::lambda<F>>(options, std::forward<Args>(args)...);
}

/// What cannot be started, and a compile error that says why.
template <calls::not_nameable F, class... Args>
  requires(!hosting::options_like<F>)
calls::refused async(F&&, Args&&...) {
  calls::refuse<std::remove_cvref_t<F>>();
  return {};
}

template <calls::not_nameable F, class... Args>
calls::refused async(const start_options&, F&&, Args&&...) {
  calls::refuse<std::remove_cvref_t<F>>();
  return {};
}

} // namespace troupe
