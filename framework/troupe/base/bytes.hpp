// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace troupe {

/// Somebody else's bytes, to read.
using bytes_view = std::span<const std::byte>;

/// Somebody else's bytes, to write.
using bytes_span = std::span<std::byte>;

/// Bytes of one's own.
using bytes = std::vector<std::byte>;

} // namespace troupe
