// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>
#include <troupe/process/orphans.hpp>
#include <troupe/process/server_process.hpp>

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>

namespace troupe::hosting {

/// The root's one thread: keeps the fork server alive and answers Ctrl-C.
///
/// Should the fork server die, its hosts become children of the root (which is
/// a "subreaper" for that). The guardian starts a new server and confirms the
/// deaths of the orphans from then on. A server that ends three times before it
/// serves (`main` returns before it makes its `program`, say) is given up: then
/// every start ends as `ending::lost`, with the reason.
///
/// The first SIGINT asks every process of the run to end: whoever was not
/// reached by the terminal gets SIGINT too, and `interrupt_token()` is told.
/// When all have ended, or the run's grace is over, or at the second SIGINT,
/// what is left is killed and the root dies of SIGINT. A root that has asked
/// for `interrupt_token()` has the grace for itself as well. Where the user
/// has set SIGINT otherwise before, nothing of this happens.
///
/// A child that the user forks off the root, without exec, has no part in the
/// run: it lets go of the life-line, and SIGINT is at its default there.
class guardian {
public:
  /// Makes the root's: starts the fork server and the thread. Never destroyed,
  /// for other threads may ask it while the process ends. Does not return in a
  /// fork server that is a fork of the root.
  /// Throws `os_failure`.
  static void start();

  /// Ends both, once.
  void end() noexcept;

  guardian(const guardian&) = delete;
  guardian& operator=(const guardian&) = delete;

  /// Returns the token of the root that Ctrl-C triggers.
  [[nodiscard]] std::stop_token interrupt_token() noexcept;

  /// Returns whether an interrupt has come, even if the guardian's thread has
  /// not looked at it yet.
  [[nodiscard]] bool interrupted() const noexcept;

  /// Returns whether somebody has asked for the token.
  [[nodiscard]] bool is_asked_for_token() const noexcept {
    return token_taken_.load();
  }

  /// The root's guardian, even if it has ended; nullptr in other processes.
  [[nodiscard]] static guardian* current() noexcept;

private:
  explicit guardian(server_process& server);
  ~guardian() = default;

  void end_server() noexcept;
  void watch();
  void look_at_server();
  void replace_server();
  void give_up_server(const std::string& reason);
  void refuse_requests();
  void answer_interrupts();
  [[noreturn]] void end_run();

  server_process& server_;
  orphans orphans_;
  /// Whether the root was a subreaper before.
  bool adopted_before_ = false;
  os::descriptor event_;
  int failed_servers_ = 0;
  std::string given_up_;
  std::atomic<int> interrupts_seen_{0};
  std::int64_t interrupt_limit_ = 0;
  std::stop_source stop_;
  std::atomic<bool> token_taken_{false};
  /// Its thread is to end, or has.
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

} // namespace troupe::hosting
