// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>
#include <troupe/os/signals.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace troupe::hosting {

/// The root's one thread: keeps the fork server alive and answers Ctrl-C.
///
/// Should the fork server die, its hosts become children of the root (which is
/// a "subreaper" for that). The guardian starts a new server and confirms the
/// deaths of the orphans from then on.
///
/// The first SIGINT asks every process of the run to end: whoever was not
/// reached by the terminal gets SIGINT too, and `interrupt_token()` is told.
/// When all have ended, or the run's grace is over, or at the second SIGINT,
/// what is left is killed and the root dies of SIGINT. A root that has asked
/// for `interrupt_token()` has the grace for itself as well. Where the user
/// has set SIGINT otherwise before, nothing of this happens.
class guardian {
public:
  /// Starts the fork server and the thread. Throws `os_failure`.
  guardian();

  /// Ends both.
  ~guardian();

  guardian(const guardian&) = delete;
  guardian& operator=(const guardian&) = delete;

  /// Returns the token of the root that Ctrl-C triggers.
  [[nodiscard]] std::stop_token interrupt_token() noexcept;

  [[nodiscard]] bool interrupted() const noexcept {
    return interrupts_seen_ > 0;
  }

  /// The root's guardian, nullptr in other processes.
  [[nodiscard]] static guardian* current() noexcept;

private:
  struct orphan {
    std::uint32_t slot;
    std::int32_t pid;
    os::descriptor ended;
  };

  void start_server();
  void watch();
  void replace_server();
  void adopt();
  void bury_orphans();
  void answer_interrupts();
  [[noreturn]] void end_run();

  os::signal_settings settings_;
  os::descriptor event_;
  std::int32_t server_ = 0;
  os::descriptor server_ended_;
  std::vector<orphan> orphans_;
  bool unclaimed_ = false;
  std::atomic<int> interrupts_seen_{0};
  std::int64_t interrupt_limit_ = 0;
  std::stop_source stop_;
  std::atomic<bool> token_taken_{false};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

} // namespace troupe::hosting
