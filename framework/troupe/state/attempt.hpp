// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <utility>

namespace troupe::held {

/// What a function returns that may have to wait: a result, or "not yet".
///
///     held::attempt<int> take(std::deque<int>& from) {
///       if (from.empty())
///         return held::not_yet;
///       ...
///
/// A call of such a function waits in the state while it returns `not_yet`: it
/// is tried again, with the same arguments, whenever another call may have
/// changed the object, in the order in which the calls came. Others go on.
struct not_yet_t {};
inline constexpr not_yet_t not_yet{};

template <class R>
class attempt {
public:
  using result = R;

  attempt(not_yet_t) noexcept {
  }

  attempt(R value) : value_(std::move(value)) {
  }

  [[nodiscard]] explicit operator bool() const noexcept {
    return value_.has_value();
  }

  [[nodiscard]] R& operator*() noexcept {
    return *value_;
  }

private:
  std::optional<R> value_;
};

template <>
class attempt<void> {
public:
  using result = void;

  attempt(not_yet_t) noexcept {
  }

  attempt() noexcept : done_(true) {
  }

  [[nodiscard]] explicit operator bool() const noexcept {
    return done_;
  }

private:
  bool done_ = false;
};

template <class R>
inline constexpr bool is_attempt = false;
template <class R>
inline constexpr bool is_attempt<attempt<R>> = true;

} // namespace troupe::held
