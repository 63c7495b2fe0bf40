// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace troupe::os {

/// Reads a file with a secret: a regular one, of this user's or root's, that
/// nobody else may read or write, and that fits into `into`, which is to be
/// wiped by the caller. Returns how many bytes it has. `what` is for the texts
/// of errors: "a key". Does not wait for a file that is none, such as a pipe.
/// Throws `os_failure` (there is none, it may not be read), `invalid_argument`
/// (it is a directory, no regular file, another user's, one that others may
/// read, too large).
[[nodiscard]] std::size_t read_private_file(const std::string& path,
                                            std::span<char> into,
                                            const std::string& what);

} // namespace troupe::os
