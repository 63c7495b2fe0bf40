// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/errc.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe {

/// The base of every exception that Troupe throws.
///
/// `what()` reads "ATTEMPTED: REASON; ADVICE" and `code()` is for programs.
/// Each code has a type of its own (`stale_handle`, `limit_reached`, …), so a
/// handler can name what it can mend. Why not `std::system_error`: most of
/// these failures are not the operating system's, and an error here must also
/// say what to do.
class error : public std::runtime_error {
public:
  /// @param attempted what was being done, on what: "attach object at 4096"
  /// @param reason why it failed: "its owner freed it"
  /// @param advice what to do about it; may be empty
  error(errc code, std::string_view attempted, std::string_view reason,
        std::string_view advice = {}, int os_error = 0);

  [[nodiscard]] errc code() const noexcept {
    return code_;
  }

  /// Returns the errno of the refused system call, or 0.
  [[nodiscard]] int os_error() const noexcept {
    return os_error_;
  }

private:
  errc code_;
  int os_error_;
};

/// The exception type of one code. Use the aliases below.
template <errc Code>
class error_of : public error {
public:
  explicit error_of(std::string_view attempted, std::string_view reason,
                    std::string_view advice = {}, int os_error = 0)
    : error(Code, attempted, reason, advice, os_error) {
  }
};

using invalid_argument = error_of<errc::invalid_argument>;
using invalid_state = error_of<errc::invalid_state>;
using stale_handle = error_of<errc::stale_handle>;
using limit_reached = error_of<errc::limit_reached>;
using malformed_bytes = error_of<errc::malformed_bytes>;
using closed = error_of<errc::closed>;
using peer_died = error_of<errc::peer_died>;
using process_died = error_of<errc::process_died>;
using timed_out = error_of<errc::timed_out>;
using unknown_function = error_of<errc::unknown_function>;
using not_owner = error_of<errc::not_owner>;
using would_deadlock = error_of<errc::would_deadlock>;
using broken_barrier = error_of<errc::broken_barrier>;
using not_authentic = error_of<errc::not_authentic>;
using connection_lost = error_of<errc::connection_lost>;
using cancelled = error_of<errc::cancelled>;
using unknown_message_type = error_of<errc::unknown_message_type>;
using unknown_name = error_of<errc::unknown_name>;
using machine_lost = error_of<errc::machine_lost>;

/// Throws the exception type of `code`; an `error` for a code that has none.
[[noreturn]] void throw_error(errc code, std::string_view attempted,
                              std::string_view reason);

/// A refused system call: the errno's text is the reason.
class os_failure : public error_of<errc::os_failure> {
public:
  /// Takes `os_error` from the calling thread's `errno` unless given.
  explicit os_failure(std::string_view attempted, std::string_view advice = {});
  os_failure(std::string_view attempted, std::string_view advice, int os_error);
};

} // namespace troupe
