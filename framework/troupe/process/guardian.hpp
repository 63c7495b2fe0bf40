// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/signals.hpp>

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

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
  /// for other threads may ask it while the process ends.
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
  struct orphan {
    memory::slot_id slot;
    std::int32_t pid;
    /// None if there were many: then it is looked after every few milliseconds.
    os::descriptor ended;
  };

  guardian();
  ~guardian() = default;

  void start_server();
  void end_server() noexcept;
  void watch();
  void replace_server();
  void give_up_server(const std::string& reason);
  void refuse_requests();
  void adopt();
  void finish_reaping();
  [[nodiscard]] bool is_orphan(std::int32_t pid) const noexcept;
  void bury_orphans();
  void answer_interrupts();
  [[noreturn]] void end_run();

  os::signal_settings settings_;
  /// A later fork server gets what the first got: the program may change its
  /// own environment meanwhile.
  std::vector<std::string> environment_ = os::copy_environment();
  os::descriptor event_;
  std::int32_t server_ = 0;
  os::descriptor server_ended_;
  int failed_servers_ = 0;
  std::string given_up_;
  std::vector<orphan> orphans_;
  bool unclaimed_ = false;
  /// The kernel's list of children may miss one while others end.
  int looks_left_ = 0;
  bool unwatched_ = false;
  std::atomic<int> interrupts_seen_{0};
  std::int64_t interrupt_limit_ = 0;
  std::stop_source stop_;
  std::atomic<bool> token_taken_{false};
  /// Its thread is to end, or has.
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

} // namespace troupe::hosting
