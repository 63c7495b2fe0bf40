// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/call/exception_cause.hpp>

#include <exception>
#include <string>
#include <vector>

/// What can be said of the exception that is being handled: for use in a
/// handler only. None of these throws because of what the exception is.
namespace troupe::calls {

/// The name of a type as its author wrote it, from what `type_info` says.
[[nodiscard]] std::string readable_name(const char* mangled);

/// The type of the exception that is being handled; "unknown" where the
/// language does not tell. Of one that `std::throw_with_nested` made, the type
/// that was given to it.
[[nodiscard]] std::string type_of_current_exception();

/// What the exception that is being handled says: its `what()`, or itself if it
/// is a string or a number. Empty where `what()` is null.
[[nodiscard]] std::string text_of_current_exception();

/// The exceptions inside of the one that is being handled, from the outer to
/// the inner, at most `most_causes`.
[[nodiscard]] std::vector<exception_cause> causes_of_current_exception();

/// The same for `outer` and what is in it.
[[nodiscard]] std::vector<exception_cause>
causes_from(std::exception_ptr outer);

/// Text and causes in one: "TEXT, caused by TYPE: TEXT".
[[nodiscard]] std::string full_text_of_current_exception();

} // namespace troupe::calls
