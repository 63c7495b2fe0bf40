// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/invoke.hpp>
#include <troupe/state/local_target.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace troupe {

namespace held {

/// What `snapshot` and `assign` run. `all` is held, and no temporary.
template <class T>
const T& whole(const T& all) {
  return all; // NOLINT(bugprone-return-const-ref-from-parameter)
}

template <class T>
void replace(T& all, T value) {
  all = std::move(value);
}

} // namespace held

/// A handle of a `T` that a state holds in its process.
///
///     auto savings = state.make<account>("Sam", 100);   // proxy<account>
///     savings.call<&account::deposit>(10);
///     auto later = savings.call_async<&account::balance>();
///     savings.update([](account& of, int rate) { of.add_interest(rate); }, 3);
///
/// Copies of it, in whatever process, mean the same object, which lives until
/// the last of them is gone, however its process ended. A proxy is a value that
/// can be sent, and can be part of other held objects.
///
/// # Calls
/// A call is one request and one answer. What the compiler cannot check, it
/// refuses: another type's function, arguments that do not convert or cannot be
/// sent. One call runs at a time in a state, so a function on the object sees
/// and leaves it whole. Calls of one thread run in their order.
///
/// # Failures
/// What the function throws arrives as `remote_error` with type and text, or as
/// the exception of Troupe's that it was. If the state's process dies, calls
/// that wait for it throw `peer_died` at once; the object is lost with it.
template <class T>
class proxy {
public:
  using object_type = T;

  /// Takes what refers to a `T`. For layers above.
  explicit proxy(std::shared_ptr<held::target> object) noexcept
    : target_(std::move(object)) {
  }

  /// Calls `F`, a member function, data member, or function whose first
  /// parameter is a `T&` or `const T&`, and returns a copy of its result.
  /// A function that returns `held::attempt<R>` may wait for the object.
  /// @blocks on the state
  template <auto F, class... Args>
  held::result_of<calls::named<F>> call(Args&&... args) const {
    return held::invoke<T, calls::named<F>>(*target(),
                                            std::forward<Args>(args)...);
  }

  /// The same without waiting for the result.
  template <auto F, class... Args>
  [[nodiscard]] held::future<held::result_of<calls::named<F>>>
  call_async(Args&&... args) const {
    return held::invoke_async<T, calls::named<F>>(*target(),
                                                  std::forward<Args>(args)...);
  }

  /// Calls a function that may wait for the object. Nothing, or false, if it
  /// was not ready before `limit`; then nothing has happened.
  template <auto F, class... Args>
  [[nodiscard]] auto call_before(deadline limit, Args&&... args) const {
    static_assert(held::may_wait<calls::named<F>>,
                  "troupe: only a call that may wait has a limit: one of a "
                  "function that returns a held::attempt");
    auto result = held::invoke_before<T, calls::named<F>>(
      *target(), limit, std::forward<Args>(args)...);
    if constexpr (std::is_void_v<held::result_of<calls::named<F>>>)
      return result.has_value();
    else
      return result;
  }

  template <auto F, class Rep, class Period, class... Args>
  [[nodiscard]] auto call_for(const std::chrono::duration<Rep, Period>& limit,
                              Args&&... args) const {
    return call_before<F>(deadline::after(limit), std::forward<Args>(args)...);
  }

  template <auto F, class Clock, class Duration, class... Args>
  [[nodiscard]] auto
  call_until(const std::chrono::time_point<Clock, Duration>& limit,
             Args&&... args) const {
    return call_before<F>(deadline::at(limit), std::forward<Args>(args)...);
  }

  /// Runs `function` on the object where it is: `function(T&, args...)`. So
  /// reading, changing and writing are one step. A lambda without captures.
  /// @blocks on the state
  template <calls::captureless_lambda F, class... Args>
  held::result_of<calls::lambda<F>> update(F, Args&&... args) const {
    return held::invoke<T, calls::lambda<F>>(*target(),
                                             std::forward<Args>(args)...);
  }

  template <auto F, class... Args>
  held::result_of<calls::named<F>> update(Args&&... args) const {
    return call<F>(std::forward<Args>(args)...);
  }

  template <calls::captureless_lambda F, class... Args>
  [[nodiscard]] held::future<held::result_of<calls::lambda<F>>>
  update_async(F, Args&&... args) const {
    return held::invoke_async<T, calls::lambda<F>>(*target(),
                                                   std::forward<Args>(args)...);
  }

  /// What cannot be run there, and a compile error that says why.
  template <calls::not_nameable F, class... Args>
  calls::refused update(F&&, Args&&...) const {
    calls::refuse<std::remove_cvref_t<F>>();
    return {};
  }

  /// A copy of the whole object.
  [[nodiscard]] T snapshot() const {
    return held::invoke<T, calls::named<&held::whole<T>>>(*target());
  }

  /// Puts another value in the place of the object's.
  void assign(const T& value) const {
    held::invoke<T, calls::named<&held::replace<T>>>(*target(), value);
  }

  /// Names `snapshot` and `assign`, for clients in other programs.
  static void offer_copies() {
    static_cast<void>(
      held::operation_of<T, calls::named<&held::whole<T>>>.id());
    static_cast<void>(
      held::operation_of<T, calls::named<&held::replace<T>>>.id());
  }

  /// What it refers to. Throws `invalid_state` for a proxy that was moved from.
  [[nodiscard]] const std::shared_ptr<held::target>& target() const {
    if (!target_)
      throw invalid_state("use a proxy", "it was moved from",
                          "copy a proxy that is needed afterwards");
    return target_;
  }

  void save(codec::encoder& to) const {
    held::save_target(to, *target());
  }

  [[nodiscard]] static proxy load(codec::decoder& from) {
    auto object = held::load_target(from);
    if (const auto type = held::known_type(*object);
        type != 0 && type != held::type_hash<T>())
      from.refuse(codec::type_name<proxy>(),
                  "it is a proxy of an object of another type");
    return proxy{std::move(object)};
  }

  /// Whether both mean the same object.
  friend bool operator==(const proxy& a, const proxy& b) noexcept {
    return a.target_ && b.target_ && a.target_->number() == b.target_->number()
           && a.target_->via() == b.target_->via();
  }

private:
  std::shared_ptr<held::target> target_;
};

} // namespace troupe
