// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace troupe::mailbox {

/// Copies a message, or a part of it, to where readers have read before. They
/// have the cache lines there, so what is not small may go past the caches.
void copy_into_ring(std::byte* to, const std::byte* from,
                    std::size_t size) noexcept;

} // namespace troupe::mailbox
