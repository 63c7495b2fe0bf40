// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/pool/child_spec.hpp>
#include <troupe/pool/restart_intensity.hpp>
#include <troupe/pool/supervisor_messages.hpp>

#include <caf/actor.hpp>
#include <caf/result.hpp>
#include <caf/typed_actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Who is restarted when one child ends.
enum class strategy : std::uint8_t {
  /// That child.
  one_for_one,
  /// All: the others are ended first, in reverse order.
  one_for_all,
  /// That child and those started after it.
  rest_for_one,
};

/// What a supervisor says of each restart, and of giving up.
struct restart_report {
  std::string child;
  /// How the child ended, with signal or exit code.
  std::string reason;
  /// Restarts within the period, this one included.
  std::size_t restarts = 0;
  /// It was one too many: the supervisor ends.
  bool given_up = false;
};

/// What may be said about a supervisor.
struct supervisor_options {
  enum strategy strategy = strategy::one_for_one;
  /// More than `intensity` restarts within `period` are too many.
  std::uint32_t intensity = 1;
  std::chrono::nanoseconds period = std::chrono::seconds{5};
  /// Called in the supervisor's thread; unset, a line on standard error.
  std::function<void(const restart_report&)> report = nullptr;
};

/// A supervisor as an actor.
///
///     start_child, spec         the child's actor; local senders only
///     get, id                   the child's actor, empty where it is terminated
///     restart_child, id         the new actor of a child that was terminated
///     terminate_child, id       ends the child and keeps its specification
///     delete_child, id          forgets a child that was terminated
///     which_children            all children, in the order of their start
///
/// Errors: `unknown_name` (no such child), `invalid_state` (it runs, or does
/// not), `invalid_argument` (the id is taken, or the specification is empty),
/// and what a start throws. An exit message ends the supervisor in order.
using supervisor_actor
  = caf::typed_actor<caf::result<caf::actor>(start_child_atom, child_spec),
                     caf::result<caf::actor>(caf::get_atom, std::string),
                     caf::result<caf::actor>(restart_child_atom, std::string),
                     caf::result<void>(terminate_child_atom, std::string),
                     caf::result<void>(delete_child_atom, std::string),
                     caf::result<std::vector<child_info>>(which_children_atom)>;

/// Starts children and starts them again when they end: Erlang's supervisor,
/// over operating-system processes.
///
///     troupe::supervisor shop{{.strategy = troupe::strategy::rest_for_one},
///                             {troupe::child<store>("store"),
///                              troupe::child<till>("till")}};
///
/// Children are started in order and ended in reverse order. A child may itself
/// be a supervisor (`supervised`), and if that gives up, this one treats it as
/// any child that has ended. Messages sent to a child that is dead are lost, as
/// all to the dead: ask for its new handle, or use a name.
///
/// The supervisor is an actor of the calling process with a thread of its own.
///
/// # What a crash leaves
/// If the supervisor's process dies, all its children die with it: their
/// processes are its daemons.
class supervisor {
public:
  /// Starts the children, in order. If one cannot be started, those before it
  /// are ended, in reverse order, and what its start threw is thrown.
  /// @blocks on the children's starts
  supervisor(supervisor_options options, std::vector<child_spec> children);

  supervisor(supervisor&&) noexcept = default;
  supervisor& operator=(supervisor&&) = delete;

  /// Ends the children in reverse order, and itself.
  /// @blocks on the children, for the time that each one's `shutdown` says
  ~supervisor();

  /// Adds a child. Throws as the messages of `supervisor_actor` answer; so do
  /// the others. After the supervisor has given up: `peer_died`.
  caf::actor start_child(child_spec spec) const;
  [[nodiscard]] caf::actor child(std::string_view id) const;
  caf::actor restart_child(std::string_view id) const;
  void terminate_child(std::string_view id) const;
  void delete_child(std::string_view id) const;
  [[nodiscard]] std::vector<child_info> which_children() const;

  /// Returns whether it has not given up.
  [[nodiscard]] bool is_alive() const;

  /// Ends it as the destructor does. May be called again.
  void close();

  [[nodiscard]] const supervisor_actor& actor() const noexcept {
    return actor_;
  }

private:
  supervisor_actor actor_;
};

/// A child that is a supervisor in this process, with children of its own.
[[nodiscard]] child_spec supervised(std::string id, supervisor_options options,
                                    std::vector<child_spec> children);

} // namespace troupe
