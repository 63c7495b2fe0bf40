// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/pool/child_spec.hpp>
#include <troupe/pool/restart_intensity.hpp>
#include <troupe/pool/supervisor_messages.hpp>
#include <troupe/pool/supervisor_options.hpp>

#include <caf/actor_addr.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/timespan.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
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

/// What a supervisor does, as the body of an actor with a thread of its own:
/// to start a process and to wait for the end of one take their time, and
/// would hold up whoever shares a thread with it.
///
/// Whatever it waits for, it hears exit messages while it starts, and deaths
/// are kept while it ends. Nothing that it waits for is without a limit, but
/// for a `shutdown::infinity()`, and a start with no limit as long as nobody
/// tells the supervisor to end.
class supervisor_core {
public:
  supervisor_core(caf::blocking_actor* self, supervisor_options options,
                  std::vector<child_spec> children);

  /// Starts the children in order. If one cannot be started, ends those that
  /// were, in reverse order, and throws what that start threw.
  void start();

  /// Serves until it is told to end or has given up, and ends the children.
  void run();

private:
  struct member {
    explicit member(child_spec what) : spec(std::move(what)) {
    }

    child_spec spec;
    caf::actor actor;
    /// Of the process that it is in, or last was.
    std::int32_t pid = 0;
    /// The process that it has to itself.
    std::optional<process_view> own;
    std::uint32_t restarts = 0;
    /// Its last start failed, and is to be tried again.
    bool restarting = false;
    /// Who has last had its name.
    caf::actor named;
  };

  /// A start that failed, and why.
  struct failed_start {
    std::string id;
    std::string reason;
  };

  /// The process of a child that has ended, which has to follow.
  struct leaving {
    process_view process;
    deadline limit;
  };

  /// An actor that wants reports. It is watched until it dies, also when it does
  /// not want them any more: a child that listens must not be lost sight of.
  struct listener {
    caf::actor_addr who;
    caf::actor wants;
  };

  void serve();

  [[nodiscard]] member* look_up(std::string_view id) noexcept;
  [[nodiscard]] member& find(std::string_view id);
  /// The same, and throws `invalid_state` if it runs, or is to.
  [[nodiscard]] member& find_ended(const char* what, const std::string& id);

  caf::actor add(child_spec spec);
  void terminate(const std::string& id);
  void forget(const member& one);

  void start(member& one);
  void make(member& one);
  void register_name(member& one);

  void end(member& one);
  void await_end(member& one);
  [[nodiscard]] caf::timespan look_after_leaving();
  void end_all();
  bool await_down(const caf::actor& actor,
                  std::optional<std::chrono::nanoseconds> limit);

  void ended(const caf::down_msg& down);
  void try_again();
  void restart_from(member& dead, std::int32_t pid, const std::string& reason);
  bool start_again(const std::string& id);
  void report(const restart_report& what) const;

  void subscribe(const caf::actor& who);

  /// What `work` returns, or what it throws as an error, for the request at
  /// hand.
  template <class Work>
  [[nodiscard]] auto answer(Work work) const;

  [[nodiscard]] std::vector<child_info> list() const;
  [[nodiscard]] child_count count() const;

  caf::blocking_actor* self_;
  supervisor_options options_;
  restart_intensity intensity_;
  std::vector<member> members_;
  /// Deaths that were heard of while another was waited for.
  std::deque<caf::down_msg> late_;
  std::deque<failed_start> again_;
  std::vector<leaving> leaving_;
  std::vector<listener> listeners_;
  std::uint64_t starts_ = 0;
  bool over_ = false;
};

} // namespace troupe::supervision
