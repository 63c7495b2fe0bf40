// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/settings.hpp>
#include <troupe/os/signals.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::hosting {

/// The root's fork server, as the root sees it: starts it, learns who serves,
/// and ends it. What follows the first one gets what the first got, whatever
/// the root has changed since: environment, directory, umask, limits and the
/// rest of `os::settings`.
///
/// The binary is executed anew, and what stands before `troupe::program` runs
/// in it. That may fork (`daemon`), so that the process which serves is another
/// than the one which was executed: it says so on a pipe, and that pipe ends
/// when nobody is left who could. Of several that come of one start one serves.
///
/// A program with borrowed rights (setuid) believes no environment. Its fork
/// server is a fork of the root, and there is only one.
class server_process {
public:
  /// Notes what each server is to have. Throws `os_failure`.
  server_process();

  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  /// Starts one. Returns false in a forked child, which has to serve.
  /// Throws `os_failure`, `invalid_state` (there may be no other).
  [[nodiscard]] bool start();

  /// Adds what must be watched for `look`.
  void add_to(std::vector<os::watched>& waiting) const;

  /// What has become of the server since the last look.
  enum class change {
    none,
    /// It serves now.
    serves,
    /// It has ended, or is ended.
    ended,
  };
  [[nodiscard]] change look();

  /// Whether the last one that has ended had served before.
  [[nodiscard]] bool has_served() const noexcept {
    return has_served_;
  }

  /// Why the last one has not served, if it has said so.
  [[nodiscard]] const std::string& reason() const noexcept {
    return reason_;
  }

  /// Whether `pid` is that of a server, or of the process that was executed.
  [[nodiscard]] bool is(std::int32_t pid) const noexcept {
    return pid != 0 && (pid == executed_ || pid == serving_);
  }

  /// Kills it. Returns false if the system does not permit that: the root has
  /// another user by now.
  bool kill() noexcept;

  /// Waits until it has ended, and reaps it. False: the limit passed.
  bool wait(deadline limit) noexcept;

private:
  void read_report();
  void note_server(std::int32_t pid);
  bool abandon();
  void forget() noexcept;

  os::signal_settings signals_;
  os::settings settings_;
  /// The program may change its own environment later.
  std::vector<std::string> environment_ = os::copy_environment();
  std::uint32_t number_ = 0;
  /// The process that was executed, 0 once it is reaped.
  std::int32_t executed_ = 0;
  os::descriptor executed_ended_;
  /// The process that serves, 0 before.
  std::int32_t serving_ = 0;
  os::descriptor serving_ended_;
  /// The reading end of `links::server_report`.
  os::descriptor report_;
  bool has_served_ = false;
  std::string reason_;
};

/// In the server: says that this process serves, if none of its kind does.
/// Returns false if another does.
[[nodiscard]] bool report_service();

/// In the server: says what it could not be given.
void report_failure(int report, const char* refused) noexcept;

} // namespace troupe::hosting
