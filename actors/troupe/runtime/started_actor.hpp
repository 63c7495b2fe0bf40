// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/actor_config.hpp>
#include <caf/actor_control_block.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace caf {
class blocking_actor;
} // namespace caf

namespace troupe::runtime {

/// The start of one actor, in the thread that makes it: its function, or its
/// `make_behavior`, has returned when the actor's handle is given away, and
/// what it threw is thrown by whoever makes the actor, as what a constructor
/// throws is. After that the receiving thread runs it.
///
/// One at a time in each thread, but a start may begin others within.
class actor_start {
public:
  actor_start();
  actor_start(const actor_start&) = delete;
  actor_start& operator=(const actor_start&) = delete;
  ~actor_start();

  /// What the actor has to be made with.
  [[nodiscard]] caf::actor_config config() const;

  /// Starts it. Throws what its function throws.
  void run();

  /// The exception that is being handled is of the start at hand. False if this
  /// thread starts nobody.
  [[nodiscard]] static bool has_failed() noexcept;

  /// The actor of the start at hand is constructed: it is what runs next.
  static void note_constructed() noexcept;

private:
  friend class start_context;

  actor_start* before_;
  bool constructed_ = false;
  caf::resumable* job_ = nullptr;
  std::exception_ptr failure_;
};

/// An `Actor` that tells its start what was thrown.
template <class Actor>
class started final : public Actor {
public:
  template <class... Args>
  explicit started(caf::actor_config& how, Args&&... args)
    : Actor(how, std::forward<Args>(args)...) {
    actor_start::note_constructed();
  }

  void initialize() override {
    try {
      Actor::initialize();
    } catch (...) {
      if (!actor_start::has_failed())
        throw;
      this->quit(transport::exception_being_handled());
    }
  }
};

/// `started<Actor>` where that can be: a blocking actor has no start, it begins
/// to run; a class that is final is taken as it is.
template <class Actor>
struct startable {
  using type = Actor;
};

template <class Actor>
  requires(!std::is_base_of_v<caf::blocking_actor, Actor>
           && std::is_base_of_v<caf::scheduled_actor, Actor>
           && !std::is_final_v<Actor>
           && requires(Actor& one) { one.initialize(); })
struct startable<Actor> {
  using type = started<Actor>;
};

} // namespace troupe::runtime
