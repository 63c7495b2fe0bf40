// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace troupe::hosting {

/// The name of a type as its author wrote it, from what `type_info` says.
[[nodiscard]] std::string readable_name(const char* mangled);

/// The type of the exception that is being handled; "unknown" where the
/// language does not tell.
[[nodiscard]] std::string type_of_current_exception();

/// What the exception that is being handled says. For use in a handler only.
[[nodiscard]] std::string text_of_current_exception();

} // namespace troupe::hosting
