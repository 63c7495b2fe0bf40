// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>

namespace troupe::os {

/// Returns whether this program runs with rights that whoever started it does
/// not have: a setuid or setgid program, or one with file capabilities
/// (AT_SECURE). What such a caller has set must not be believed.
[[nodiscard]] bool has_borrowed_rights() noexcept;

/// Returns the value of an environment variable; nullptr without one, and
/// always where `has_borrowed_rights()`, as `secure_getenv` does. Every
/// variable of Troupe's is read by this function or by `take_environment`.
[[nodiscard]] const char* environment_value(const char* name) noexcept;

/// The same, and gives the variable another value, also where it is not
/// believed.
[[nodiscard]] std::optional<std::string> take_environment(const char* name,
                                                          const char* instead);

/// Removes a variable.
void forget_environment(const char* name) noexcept;

} // namespace troupe::os
