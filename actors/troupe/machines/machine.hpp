// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/calls/future_base.hpp>
#include <troupe/channel/wait_condition.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/machines/known_machine.hpp>
#include <troupe/machines/remote_call.hpp>
#include <troupe/machines/require_to_cross.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/actor_factory.hpp>

#include <caf/actor_cast.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe {

namespace machines {

/// The process of a `machine_future`; for that only.
class handle {
public:
  handle() noexcept = default;
  handle(std::shared_ptr<known_machine> on,
         std::shared_ptr<remote_call> of) noexcept
    : on_(std::move(on)), of_(std::move(of)) {
  }
  handle(handle&&) noexcept = default;
  /// @blocks on the process that this had
  handle& operator=(handle&& other) noexcept;
  /// @blocks on the process
  ~handle();

  [[nodiscard]] bool valid() const noexcept {
    return of_ != nullptr;
  }
  [[nodiscard]] call_result take();
  [[nodiscard]] bool wait(deadline limit) const;
  /// Null where there is none.
  [[nodiscard]] std::shared_ptr<wait_condition> when_done() const;
  void terminate() const;
  void kill() const;

private:
  [[nodiscard]] remote_call& call() const;
  void signal(int number) const;

  std::shared_ptr<known_machine> on_;
  std::shared_ptr<remote_call> of_;
};

/// Has an actor made on `where`. Throws what `machine::spawn` throws.
[[nodiscard]] caf::strong_actor_ptr
spawn_on(known_machine& where, const runtime::recipe_entry& recipe,
         const packed& arguments);

} // namespace machines

/// The result of a function that runs in a process of another machine; the
/// shape of `troupe::future`. The destructor waits for the process.
///
/// # Failures
/// What the function throws, and the death of its process, arrive as
/// `remote_error`, as from `async`. If the machine is lost, or the way there,
/// `get` throws `machine_lost` at that moment: the function may have run.
template <class R>
class machine_future : public calls::future_base<machine_future<R>> {
public:
  machine_future() noexcept = default;

  explicit machine_future(machines::handle of) noexcept : of_(std::move(of)) {
  }

  /// Returns whether there is a result to get.
  [[nodiscard]] bool valid() const noexcept {
    return of_.valid();
  }

  /// Waits for the result and gives it, once: `valid()` is false afterwards.
  /// What the process has printed before is written when this returns. Throws
  /// `remote_error`, `machine_lost`, `cancelled` (the machine was about to
  /// leave, and has not begun), `limit_reached`, `os_failure` (it has no room
  /// for a process), `malformed_bytes`, `invalid_state` when there is nothing
  /// to get.
  /// @blocks on the process, and on whoever reads this program's output
  R get() {
    auto taken = std::move(of_);
    const auto result = taken.take();
    if constexpr (!std::is_void_v<R>)
      return codec::decode<R>(result.content);
  }

  /// For `wait_any`: ready when `get` would not wait. Null where there is
  /// nothing to get.
  [[nodiscard]] std::shared_ptr<wait_condition> when_ready() const {
    return of_.when_done();
  }

  // Do nothing where the process has ended. Throw `invalid_state` when there is
  // nothing to get.

  /// Asks the process to end: SIGTERM.
  void terminate() const {
    of_.terminate();
  }

  /// Ends the process: SIGKILL.
  void kill() const {
    of_.kill();
  }

private:
  friend calls::future_base<machine_future>;

  [[nodiscard]] bool wait_before(deadline limit) const {
    return of_.wait(limit);
  }

  machines::handle of_;
};

/// Another machine: a run of the same program elsewhere that has joined this
/// one. May be copied. One that is lost stays lost; who joins again is another.
class machine {
public:
  explicit machine(std::shared_ptr<machines::known_machine> of) noexcept
    : of_(std::move(of)) {
  }

  /// No other that is there has the same.
  [[nodiscard]] const std::string& name() const noexcept;

  /// Counts the machines that have joined, from 1: no two have the same.
  [[nodiscard]] std::uint64_t number() const noexcept;

  [[nodiscard]] const std::vector<std::string>& labels() const noexcept;
  [[nodiscard]] bool has_label(std::string_view label) const noexcept;

  /// How many processors its processes may really use.
  [[nodiscard]] unsigned processors() const noexcept;

  /// Bytes of memory that they may use.
  [[nodiscard]] std::uint64_t memory() const noexcept;

  /// Whether it is there: it has joined, and has neither left nor been lost.
  /// @blocks on the lead's root, where the calling process is another
  [[nodiscard]] bool is_there() const;

  /// Starts a process there that calls `F(args...)` and sends the result back:
  /// `troupe::async`, elsewhere. What cannot be sent, or is memory of this
  /// machine, does not compile; where a type does not tell, this throws
  /// `invalid_argument`.
  ///
  /// The process is the other machine's: it has the environment, the working
  /// directory and the command line with which that program was started there.
  /// Of `start_options` name and method count.
  ///
  /// Handles of actors are arguments and results as all else; one of an actor
  /// that ends with its process is of no use behind that.
  ///
  /// If the calling process dies first, the other one is killed (SIGKILL).
  ///
  /// Throws `machine_lost` (it is lost, or has left), `cancelled` (it is about
  /// to leave), `invalid_argument`, `limit_reached` (more than 512 MiB).
  /// @blocks on the lead's root, where the calling process is another
  template <auto F, class... Args>
  [[nodiscard]] auto start(Args&&... args) const {
    return start_callable<calls::named<F>>(std::forward<Args>(args)...);
  }

  /// The same for a lambda without captures, whose parameters are not `auto`.
  template <calls::captureless_lambda F, class... Args>
  [[nodiscard]] auto start(F, Args&&... args) const {
    return start_callable<calls::lambda<F>>(std::forward<Args>(args)...);
  }

  /// The same with what may be said about the process.
  template <calls::captureless_lambda F, class... Args>
  [[nodiscard]] auto
  start(const start_options& options, F, Args&&... args) const {
    return start_with<calls::lambda<F>>(options, std::forward<Args>(args)...);
  }

  /// Makes an actor of function `F` there, in a process of its own, and returns
  /// its handle: `troupe::spawn`, elsewhere. The handle is an ordinary one, in
  /// every process of this run, and of the runs of all machines.
  ///
  /// Arguments may have handles of actors; what else is memory of this machine
  /// does not compile; where a type does not tell, this throws
  /// `invalid_argument`. The process is the other machine's, and a daemon of
  /// its root: it ends when its actors have, and with that machine.
  ///
  /// Throws `remote_error` for what the actor's function or constructor threw,
  /// `process_died`, `machine_lost` (it is lost, or has left), `cancelled` (it
  /// is about to leave), `invalid_argument`, `limit_reached`.
  /// @blocks on the other machine: until the function has returned
  template <auto F, class... Args>
  auto spawn(Args&&... args) const {
    return spawn_recipe<runtime::from_function<F>>(std::forward<Args>(args)...);
  }

  /// The same of class `Actor`, whose constructor takes the configuration and
  /// these arguments.
  template <class Actor, class... Args>
  auto spawn(Args&&... args) const {
    return spawn_recipe<runtime::from_class<Actor, stored<Args>...>>(
      std::forward<Args>(args)...);
  }

  /// The same of a lambda without captures.
  template <calls::captureless_lambda F, class... Args>
  auto spawn(F, Args&&... args) const {
    return spawn_recipe<runtime::from_lambda<F>>(std::forward<Args>(args)...);
  }

  /// What is no actor, and a compile error that says why.
  template <calls::not_nameable F, class... Args>
  caf::actor spawn(F&&, Args&&...) const {
    runtime::refuse_to_spawn<std::remove_cvref_t<F>>();
    return {};
  }

  friend bool operator==(const machine& one, const machine& other) noexcept {
    return one.number() == other.number();
  }

private:
  template <class Callable, class... Args>
  [[nodiscard]] auto start_callable(Args&&... args) const {
    return start_with<Callable>(start_options{}, std::forward<Args>(args)...);
  }

  template <class Callable, class Options, class... Args>
    requires std::is_same_v<std::remove_cvref_t<Options>, start_options>
  [[nodiscard]] auto start_callable(Options&& options, Args&&... args) const {
    return start_with<Callable>(options, std::forward<Args>(args)...);
  }

  template <class Callable, class... Args>
  [[nodiscard]] auto
  start_with(const start_options& options, Args&&... args) const {
    using signature = typename Callable::signature;
    using result = std::decay_t<typename signature::result>;
    constexpr bool accepts = calls::accepts<signature, Args&&...>;
    calls::require_accepts<signature, Args&&...>();
    if constexpr (accepts)
      calls::require_returnable<result>();
    if constexpr (!signature::known) {
      return calls::refused{};
    } else if constexpr (!accepts || !calls::returnable<result>) {
      return machine_future<result>{};
    } else {
      machines::require_callable_on_machines<signature>();
      if constexpr (!machines::callable_on_machines<signature>) {
        return machine_future<result>{};
      } else {
        const auto arguments = machines::pack_aside([&](codec::encoder& to) {
          calls::encode_arguments<signature>(to, std::forward<Args>(args)...);
        });
        return machine_future<result>{machines::handle{
          of_, machines::call_on(*of_, machines::called_entry_of<Callable>,
                                 arguments, options)}};
      }
    }
  }

  template <class Recipe, class... Args>
  [[nodiscard]] typename Recipe::handle spawn_recipe(Args&&... args) const {
    using signature = typename Recipe::signature;
    runtime::require_spawnable<Recipe, Args&&...>();
    if constexpr (runtime::spawnable<Recipe, Args&&...>) {
      machines::require_spawnable_on_machines<signature>();
      if constexpr (machines::spawnable_on_machines<signature>) {
        const auto arguments = machines::pack_aside([&](codec::encoder& to) {
          calls::encode_arguments<signature>(to, std::forward<Args>(args)...);
        });
        return caf::actor_cast<typename Recipe::handle>(
          machines::spawn_on(*of_, runtime::entry_of<Recipe>, arguments));
      }
    }
    return {};
  }

  std::shared_ptr<machines::known_machine> of_;
};

} // namespace troupe
