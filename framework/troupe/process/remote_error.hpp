// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/calls/failure.hpp>
#include <troupe/process/exit_status.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// A function in another process ended with an exception, or its process ended
/// before it had a result: the whole story, as far as it is known.
///
/// `code()` tells the two apart: `errc::remote_exception`, with `type()` and
/// `text()` of the exception, or `errc::process_died`, with `status()`.
///
/// Where the remote exception had others inside of it (`throw_with_nested`),
/// `what()` and `causes()` tell them, and `std::rethrow_if_nested` throws the
/// next as a `remote_error` with its type and text, down to the innermost.
class remote_error : public error {
public:
  remote_error(std::string process_name, std::int32_t pid, exit_status status);

  /// An exception that ended one call, and not the process: `status()` and
  /// `pid()` say nothing then. `where` names who threw it.
  remote_error(std::string where, calls::failure thrown);

  /// An exception that ended one task of a process, which goes on.
  remote_error(std::string process_name, std::int32_t pid,
               calls::failure thrown, std::string last_lines);

  /// The type of the remote exception; empty if there was none.
  [[nodiscard]] const std::string& type() const noexcept {
    return thrown_.type;
  }

  /// The `what()` of the remote exception, or itself if it was a string or a
  /// number.
  [[nodiscard]] const std::string& text() const noexcept {
    return thrown_.text;
  }

  /// The exceptions inside of the remote one, from the outer to the inner.
  [[nodiscard]] const std::vector<exception_cause>& causes() const noexcept {
    return thrown_.causes;
  }

  /// The three in one. For layers above.
  [[nodiscard]] const calls::failure& thrown() const noexcept {
    return thrown_;
  }

  [[nodiscard]] const std::string& process_name() const noexcept {
    return process_name_;
  }

  [[nodiscard]] std::int32_t pid() const noexcept {
    return pid_;
  }

  /// The last lines that the process wrote to standard error.
  [[nodiscard]] const std::string& last_lines() const noexcept {
    return last_lines_;
  }

  [[nodiscard]] const exit_status& status() const noexcept {
    return status_;
  }

private:
  std::string process_name_;
  std::int32_t pid_ = 0;
  exit_status status_;
  calls::failure thrown_;
  std::string last_lines_;
};

namespace hosting {

/// The exception to throw for `what`: with its causes inside, for
/// `std::rethrow_if_nested`.
[[nodiscard]] std::exception_ptr with_causes(remote_error what);

/// Throws that.
[[noreturn]] void raise(remote_error what);

} // namespace hosting

} // namespace troupe
