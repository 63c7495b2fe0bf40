// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/process/process.hpp>

#include <caf/actor.hpp>

#include <concepts>
#include <functional>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace troupe {

/// A start that is under way, as whoever waits for it sees it: so that a child
/// that hangs while it is made can be given up.
class start_watch {
public:
  /// Says how what is being made can be ended; the last word counts. If it was
  /// given up already, `end` is called here.
  void ends_by(std::function<void()> end);

  /// Says that the child has a process to itself. It is killed to end the
  /// start, and is to be gone when the child is.
  void has_process(process_view own);

  [[nodiscard]] std::optional<process_view> process() const;

  /// Ends what is being made, if that is known to be possible.
  /// @concurrent with the start, in another thread
  void give_up();

  [[nodiscard]] bool given_up() const;

private:
  mutable std::mutex mutex_;
  std::function<void()> end_;
  std::optional<process_view> process_;
  bool given_up_ = false;
};

/// How a child is made: any function without arguments that returns the handle
/// of an actor, or one that takes a `start_watch`, and can be given up. What
/// the watch is not told of the supervisor cannot end: a start that hangs is
/// left after its limit and half a minute, and a process may outlive its actor.
class child_start {
public:
  child_start() = default;

  template <class F>
    requires(std::invocable<F&> && !std::same_as<F, child_start>)
  child_start(F make)
    : make_([make = std::move(make)](start_watch&) mutable { return make(); }) {
  }

  template <class F>
    requires(std::is_invocable_r_v<caf::actor, F&, start_watch&>
             && !std::same_as<F, child_start>)
  child_start(F make) : make_(std::move(make)) {
  }

  [[nodiscard]] explicit operator bool() const noexcept {
    return static_cast<bool>(make_);
  }

  /// Makes the child. Throws what its function throws.
  caf::actor operator()(start_watch& watch) const {
    return make_(watch);
  }

private:
  std::function<caf::actor(start_watch&)> make_;
};

} // namespace troupe
