// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace troupe::calls {

/// The name of a type or function as its author wrote it, from what `type_info`
/// says.
[[nodiscard]] std::string readable_name(const char* mangled);

} // namespace troupe::calls
