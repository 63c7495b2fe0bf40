// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace troupe::os {

/// Returns the build of the program itself, to be compared with that of another
/// machine: the linker's build id in hexadecimal digits, which a stripped copy
/// has too, or, without one, a hash of what is mapped without leave to write,
/// behind "contents-". Defined beside `locate`, in module.cpp.
[[nodiscard]] std::string build_of_program();

} // namespace troupe::os
