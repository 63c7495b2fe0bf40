// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/pool/child_spec.hpp>
#include <troupe/pool/supervisor_messages.hpp>
#include <troupe/supervision/supervisor_options.hpp>

#include <caf/actor.hpp>
#include <caf/result.hpp>
#include <caf/typed_actor.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// A supervisor as an actor.
///
///     start_child, spec         the child's actor; local senders only
///     get, id                   the child's actor, empty where it is terminated
///     restart_child, id         the new actor of a child that was terminated
///     terminate_child, id       ends the child and keeps its specification
///     delete_child, id          forgets a child that was terminated
///     which_children            all children, in the order of their start
///     count_children            how many there are
///     subscribe, actor          a `restart_report` for each restart from now on,
///                               and for giving up; sent before the restart
///     unsubscribe, actor
///
/// Errors: `unknown_name` (no such child), `invalid_state` (it runs, or does
/// not), `invalid_argument` (the id is taken, or the specification cannot be),
/// and what a start throws. An exit message ends the supervisor in order,
/// unless its reason is normal; the end of an actor that is linked to it does
/// not.
using supervisor_actor
  = caf::typed_actor<caf::result<caf::actor>(start_child_atom, child_spec),
                     caf::result<caf::actor>(caf::get_atom, std::string),
                     caf::result<caf::actor>(restart_child_atom, std::string),
                     caf::result<void>(terminate_child_atom, std::string),
                     caf::result<void>(delete_child_atom, std::string),
                     caf::result<std::vector<child_info>>(which_children_atom),
                     caf::result<child_count>(count_children_atom),
                     caf::result<void>(caf::subscribe_atom, caf::actor),
                     caf::result<void>(caf::unsubscribe_atom, caf::actor)>;

/// Starts children and starts them again when they end: Erlang's supervisor,
/// over operating-system processes.
///
///     troupe::supervisor shop{{.strategy = troupe::strategy::rest_for_one},
///                             {troupe::child<store>("store"),
///                              troupe::child<till>("till")}};
///
/// Children are started in order and ended in reverse order. A child may itself
/// be a supervisor (`supervised`), here or in a process of its own; if that
/// gives up, this one treats it as any child that has ended. Messages sent to a
/// child that is dead are lost, as all to the dead: ask for its new handle, or
/// use a name.
///
/// The supervisor is an actor of the calling process with a thread of its own.
///
/// # Waiting
/// It does one thing after the other, and answers nobody while it starts or
/// ends a child: whatever it is asked waits for that. A start may take the
/// child's `start_limit`, 30 seconds where nothing else was said, and half a
/// minute more; an end its `shutdown` time and up to a minute; both have no
/// limit where the specification has none.
///
/// # Errors
/// Its functions throw as the messages of `supervisor_actor` answer, what the
/// start of a child threw with its own type, `peer_died` once it has given up,
/// `invalid_state` once it was closed or moved from, and `would_deadlock` in
/// its own `report` hook.
///
/// # What a crash leaves
/// If the supervisor's process dies, all its children die with it: their
/// processes are its daemons. After Ctrl-C or SIGTERM it restarts nobody: at
/// the first death it ends the others and itself.
class supervisor {
public:
  /// Starts the children, in order. If one cannot be started, those before it
  /// are ended, in reverse order, and what its start threw is thrown. Throws
  /// `invalid_argument` for an option or a specification that cannot be.
  /// @blocks on the children's starts
  supervisor(supervisor_options options, std::vector<child_spec> children);

  supervisor(supervisor&&) noexcept = default;
  supervisor& operator=(supervisor&&) = delete;

  /// Ends the children in reverse order, and itself. So does the end of the
  /// process, in `exit`.
  /// @blocks on the children, for the time that each one's `shutdown` says
  ~supervisor();

  /// Adds a child and returns its actor. If its start fails, there is no such
  /// child, and what the start threw is thrown.
  /// @blocks on the child's start, and on what the supervisor is busy with
  caf::actor start_child(child_spec spec) const;

  /// Returns the actor of a child; empty while it does not run.
  /// @blocks on what the supervisor is busy with
  [[nodiscard]] caf::actor child(std::string_view id) const;

  /// Starts a child that has ended or was terminated. Returns its new actor.
  /// @blocks on the child's start, and on what the supervisor is busy with
  caf::actor restart_child(std::string_view id) const;

  /// Ends a child, or no longer tries to restart it, and keeps its
  /// specification; a temporary one is forgotten.
  /// @blocks on the child, for the time that its `shutdown` says, and on what
  /// the supervisor is busy with
  void terminate_child(std::string_view id) const;

  /// Forgets a child that has ended or was terminated.
  /// @blocks on what the supervisor is busy with
  void delete_child(std::string_view id) const;

  /// Returns all children, in the order of their start.
  /// @blocks on what the supervisor is busy with
  [[nodiscard]] std::vector<child_info> which_children() const;

  /// @blocks on what the supervisor is busy with
  [[nodiscard]] child_count count_children() const;

  /// From now on `listener`, an actor of any process, gets a `restart_report`
  /// for each restart and for giving up, as long as it lives.
  /// @blocks on what the supervisor is busy with
  void subscribe(const caf::actor& listener) const;

  /// From now on no report is sent to `listener`; one that was may still come.
  /// @blocks on what the supervisor is busy with
  void unsubscribe(const caf::actor& listener) const;

  /// Returns whether it has not given up; false after `close`, and once the
  /// process is ending.
  /// @blocks on what the supervisor is busy with
  [[nodiscard]] bool is_alive() const;

  /// Ends it as the destructor does. May be called again. Throws
  /// `invalid_state` once the process is ending.
  /// @blocks on the children, for the time that each one's `shutdown` says; a
  /// start that is under way is given up
  void close();

  [[nodiscard]] const supervisor_actor& actor() const noexcept {
    return actor_;
  }

private:
  supervisor_actor actor_;
};

/// What a supervisor is made of.
struct supervisor_plan {
  supervisor_options options;
  std::vector<child_spec> children;
};

/// A child that is a supervisor in this process, with children of its own.
[[nodiscard]] child_spec supervised(std::string id, supervisor_options options,
                                    std::vector<child_spec> children);

namespace supervision {

/// Makes the actor of a supervisor and waits until its children run. Throws
/// what `supervisor` throws.
[[nodiscard]] caf::actor launch(supervisor_plan plan, start_watch& watch);

/// The same for one that has no supervisor in this process: it is ended, in
/// order, when the process exits.
[[nodiscard]] caf::actor launch_top(supervisor_plan plan);

/// The recipe of a supervisor in another process: see actor_factory.hpp.
template <auto F>
struct from_plan {
  using signature = typename calls::named<F>::signature;
  using handle = caf::actor;
  static constexpr bool is_actor
    = std::is_same_v<typename signature::result, supervisor_plan>;
  static constexpr bool constructible = true;
  static constexpr bool constructor_keeps_values = true;

  static void require_actor() {
    constexpr bool gives_plan = is_actor;
    static_assert(gives_plan,
                  "troupe: the function of a supervisor in another process "
                  "returns a troupe::supervisor_plan, and the types of its "
                  "parameters are written out, not `auto`");
  }

  template <class... Args>
  static handle call(Args&&... args) {
    return launch_top(F(std::forward<Args>(args)...));
  }
};

} // namespace supervision

/// A child that is a supervisor in a process of its own. What it supervises is
/// what the function `F(args...)` says there, a `supervisor_plan`.
///
/// Unlike the other form it can be stopped with its process, so it has limits:
/// a minute to start, and one to end.
template <auto F, class... Args>
[[nodiscard]] child_spec supervised(std::string id, Args&&... args) {
  auto result = runtime::child_of<supervision::from_plan<F>>(
    std::move(id), std::forward<Args>(args)...);
  result.supervises = true;
  result.start_limit = std::chrono::minutes{1};
  result.shutdown = shutdown::within(std::chrono::minutes{1});
  return result;
}

} // namespace troupe
