// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>
#include <troupe/process/orphans.hpp>
#include <troupe/process/root_signals.hpp>
#include <troupe/process/server_process.hpp>
#include <troupe/process/stall_watch.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace troupe::hosting {

/// The root's one thread: keeps the fork server alive and answers Ctrl-C.
///
/// Should the fork server die, its hosts become children of the root (which is
/// a "subreaper" for that). The root supervisor starts a new server and
/// confirms the deaths of the orphans from then on. A server that ends three
/// times before it serves (`main` returns before it makes its `program`, say)
/// is given up: then every start ends as `ending::lost`, with the reason.
///
/// What SIGINT and SIGTERM do is decided by `root_signals`, which it runs.
///
/// A child that the user forks off the root, without exec, has no part in the
/// run: it lets go of the life-line, and both signals are at their default
/// there.
class root_supervisor {
public:
  /// Makes the root's: starts the fork server and the thread. Never destroyed,
  /// for other threads may ask it while the process ends. Does not return in a
  /// fork server that is a fork of the root.
  /// Throws `os_failure`.
  static void start();

  /// From now on says on standard error what has stood still for so long. Ends
  /// all and throws `os_failure` if that cannot be begun.
  void watch_for_stalls(const stall_delay& after);

  /// Ends both, once.
  void end() noexcept;

  root_supervisor(const root_supervisor&) = delete;
  root_supervisor& operator=(const root_supervisor&) = delete;

  /// The signals that ask the run to end.
  [[nodiscard]] root_signals& signals() noexcept {
    return signals_;
  }

  /// The root's root supervisor, even if it has ended; nullptr in other
  /// processes.
  [[nodiscard]] static root_supervisor* current() noexcept;

private:
  explicit root_supervisor(server_process& server);
  ~root_supervisor() = default;

  void end_server() noexcept;
  void watch();
  void look_at_server();
  void replace_server();
  void give_up_server(const std::string& reason);
  void refuse_requests();

  server_process& server_;
  orphans orphans_;
  /// Whether the root was a subreaper before.
  bool adopted_before_ = false;
  os::descriptor event_;
  int failed_servers_ = 0;
  std::string given_up_;
  root_signals signals_;
  std::unique_ptr<stall_watch> stall_watch_;
  /// Its thread is to end, or has.
  // seq_cst: `end` sets it before it rings the event; the thread, once rung,
  // reads it. It orders nothing else.
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

} // namespace troupe::hosting
