// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/process/exit_status.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace troupe {

/// A function in another process ended with an exception, or its process ended
/// before it had a result: the whole story, as far as it is known.
///
/// `code()` tells the two apart: `errc::remote_exception`, with `type()` and
/// `text()` of the exception, or `errc::process_died`, with `status()`.
class remote_error : public error {
public:
  remote_error(std::string process_name, std::int32_t pid, exit_status status);

  /// The type of the remote exception; empty if there was none.
  [[nodiscard]] const std::string& type() const noexcept {
    return status_.exception_type();
  }

  /// The `what()` of the remote exception.
  [[nodiscard]] const std::string& text() const noexcept {
    return status_.exception_text();
  }

  [[nodiscard]] const std::string& process_name() const noexcept {
    return process_name_;
  }

  [[nodiscard]] std::int32_t pid() const noexcept {
    return pid_;
  }

  /// The last lines that the process wrote to standard error.
  [[nodiscard]] const std::string& last_lines() const noexcept {
    return status_.last_lines();
  }

  [[nodiscard]] const exit_status& status() const noexcept {
    return status_;
  }

private:
  std::string process_name_;
  std::int32_t pid_;
  exit_status status_;
};

} // namespace troupe
