// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/errc.hpp>
#include <troupe/base/error.hpp>
#include <troupe/calls/failure.hpp>
#include <troupe/memory/process_slot.hpp>

#include <caf/error.hpp>
#include <caf/is_error_code_enum.hpp>
#include <caf/type_id.hpp>

#include <string>

CAF_ERROR_CODE_ENUM(troupe::errc)

/// Type ids from 150 to 199 are Troupe's: behind those of CAF's own modules,
/// in every version, and before those of users.
CAF_BEGIN_TYPE_ID_BLOCK(troupe_transport, 150)
  CAF_ADD_TYPE_ID(troupe_transport, (troupe::errc))
CAF_END_TYPE_ID_BLOCK(troupe_transport)

namespace troupe {

/// A code as CAF shows values: by a `to_string` that returns a string.
struct shown_errc {
  errc code;
};

inline std::string to_string(shown_errc what) {
  return std::string{to_string(what.code)};
}

/// Shown by its name, as CAF's own errors are, and sent as its number.
template <class Inspector>
bool inspect(Inspector& inspector, errc& code) {
  if constexpr (requires { inspector.builtin_inspect(shown_errc{code}); })
    return inspector.builtin_inspect(shown_errc{code});
  if (inspector.has_human_readable_format()) {
    auto name = [&] { return std::string{to_string(code)}; };
    auto named = [&](const std::string& text) {
      for (unsigned number = 0; number <= 0xFF; ++number)
        if (const auto each = static_cast<errc>(number);
            to_string(each) == text) {
          code = each;
          return true;
        }
      return false;
    };
    return inspector.apply(name, named);
  }
  auto get = [&] { return static_cast<std::uint8_t>(code); };
  auto set = [&](std::uint8_t number) {
    code = static_cast<errc>(number);
    return true;
  };
  return inspector.apply(get, set);
}

} // namespace troupe

namespace troupe::transport {

/// The error that says "ATTEMPTED: REASON" in a message.
[[nodiscard]] caf::error make_error(errc code, std::string text);

/// The same failure as an exception of Troupe's, for messages.
[[nodiscard]] caf::error to_caf(const error& failure);

/// An exception of a user's function, as `failure_of` returns it.
[[nodiscard]] caf::error to_caf(const calls::failure& thrown);

/// The exception that is being handled, of a user's function.
[[nodiscard]] caf::error exception_being_handled();

/// The exception that is being handled: as `to_caf` for one of Troupe's, else
/// as `exception_being_handled`.
[[nodiscard]] caf::error error_being_handled();

/// Returns what an error tells: of one of `exception_being_handled` all of it,
/// of others code and text.
[[nodiscard]] calls::failure failure_of(const caf::error& failure);

/// Returns our code in an error, or `errc::none` if it is not of our category.
[[nodiscard]] errc code_of(const caf::error& failure) noexcept;

/// Returns the text in an error of our category, or CAF's text of another.
[[nodiscard]] std::string text_of(const caf::error& failure);

/// Returns the signal that ended the process of `death_of`; 0 if none did, or
/// if it is another error. The process itself may be forgotten by now.
[[nodiscard]] int signal_of(const caf::error& death) noexcept;

/// Returns whether it is the error of `death_of` for a process that has exited
/// with code 0: in order, and by itself.
[[nodiscard]] bool exited_in_order(const caf::error& death) noexcept;

/// The error for everybody who waits for something of a dead process: its
/// name and number, and the signal or exit code that ended it.
[[nodiscard]] caf::error death_of(memory::slot_id process);

} // namespace troupe::transport
