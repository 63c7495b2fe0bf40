// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/pool/child_spec.hpp>
#include <troupe/pool/pending_start.hpp>
#include <troupe/pool/supervisor_messages.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/supervision/supervisor_options.hpp>

#include <caf/actor_addr.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/timespan.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::supervision {

/// Returns whether this thread is in the report hook of that supervisor of this
/// process.
[[nodiscard]] bool calls_hook_of(caf::actor_id supervisor) noexcept;

/// The same of any supervisor.
[[nodiscard]] bool calls_hook() noexcept;

/// Throws `invalid_argument` for a child that cannot be supervised, which was
/// attempted as `attempted` says.
void check_child(const child_spec& child, const std::string& attempted);

/// What a supervisor does, as the body of an actor with a thread of its own: it
/// serves requests, tells the supervisor core what happens to the children, and
/// does to them what that says. To start a process and to wait for the end of
/// one take their time, and would hold up whoever shares a thread with it.
///
/// Whatever it waits for, it hears exit messages while it starts, and deaths
/// are kept while it ends. Nothing that it waits for is without a limit, but
/// for a `shutdown::infinity()`, and a start with no limit as long as nobody
/// tells the supervisor to end.
class supervisor_loop {
public:
  supervisor_loop(caf::blocking_actor* self, supervisor_options options);

  /// Starts the children in order. If one cannot be started, ends those that
  /// were, in reverse order, and throws what that start threw.
  void start(std::vector<child_spec> children);

  /// Serves until it is told to end or has given up, and ends the children.
  void run();

private:
  /// What the core does not know of a child: the actor and its process.
  struct member {
    child_number number = 0;
    child_start make;
    /// Registered for each new actor; empty for none.
    std::string name;
    caf::actor actor;
    /// It was told to end, or killed, and may still send its down message.
    caf::actor ending;
    /// Of the process that it is in, or last was.
    std::int32_t pid = 0;
    /// What has to be killed or be gone with it, of which start.
    std::optional<process_view> process;
    start_number start = 0;
    /// Who has last had its name.
    caf::actor named;
  };

  /// The process of a child that has ended by itself.
  struct leftover {
    start_number start = 0;
    process_view process;
  };

  /// An actor that wants reports. It is watched until it dies, also when it
  /// does not want them any more: a child that listens must not be lost sight
  /// of.
  struct listener {
    caf::actor_addr who;
    caf::actor wants;
  };

  void serve();
  [[nodiscard]] caf::timespan look_at_leftovers();

  [[nodiscard]] member& of(child_number which);
  void drop(child_number which);

  child_number add(const std::string& attempted, child_spec spec);
  caf::actor start_child(child_spec spec);
  caf::actor restart_child(const std::string& id);
  void throw_if_failed();

  void settle();
  void carry_out(const step& what);
  void await(const awaited& what);

  void begin_start(const step& what);
  void await_start(const awaited& what);
  void finish_start(member& one, pending_start& work);
  void abandon_start(member& one);
  void start_failed(const member& one, std::exception_ptr why);
  void register_name(member& one);

  void tell_to_end(member& one);
  void kill(member& one);
  void await_process(const awaited& what);
  [[nodiscard]] std::optional<process_view> process_of(start_number start);
  void ended(const caf::down_msg& down);
  void end_all();

  void report(const restart_report& what) const;
  void subscribe(const caf::actor& who);

  /// What `work` returns, or what it throws as an error, for the request at
  /// hand.
  template <class Work>
  [[nodiscard]] auto answer(Work work) const;

  [[nodiscard]] std::vector<child_info> list();

  caf::blocking_actor* self_;
  supervisor_options options_;
  supervisor_core core_;
  std::vector<member> members_;
  std::shared_ptr<pending_start> pending_;
  /// Of the last start that failed.
  std::exception_ptr failure_;
  std::vector<leftover> leftovers_;
  std::vector<listener> listeners_;
  bool over_ = false;
};

} // namespace troupe::supervision
