// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/os/command.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/group_life_line.hpp>
#include <troupe/process/run_command.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::hosting {

/// A command from its beginning to its end. Its destructor ends it, with all
/// that descends from it, if it has not ended.
class running_command {
public:
  /// Begins it. Both must outlive this object. Throws `os_failure`,
  /// `timed_out`, `cancelled`.
  running_command(const std::vector<std::string>& command,
                  const command_options& options);

  ~running_command();
  running_command(const running_command&) = delete;
  running_command& operator=(const running_command&) = delete;

  /// Moves its input and output until it ends. Throws `timed_out`, `cancelled`,
  /// `limit_reached`.
  command_result finish();

private:
  void begin();
  [[noreturn]] void refuse(const os::begun_command& failed) const;
  void require_time() const;
  void move_bytes(bool may_read_output, bool may_read_errors, bool may_write);
  void write_input();
  void read(os::descriptor& from, std::string& into, const char* stream);
  void read_rest(os::descriptor& from, std::string& into, const char* stream);
  void append(std::string& to, std::size_t size, const char* stream);
  [[nodiscard]] std::string kill_all() noexcept;
  [[nodiscard]] exit_status reap();

  const std::vector<std::string>& command_;
  const command_options& options_;
  std::string attempted_;
  deadline limit_;
  os::group_life_line line_;
  os::descriptor input_;
  os::descriptor output_;
  os::descriptor errors_;
  os::begun_command begun_;
  bool reaped_ = false;
  std::size_t written_ = 0;
  std::vector<std::byte> buffer_;
  command_result result_;
};

} // namespace troupe::hosting
