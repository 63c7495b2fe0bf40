// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace troupe {

/// How an attempt to put or send came out, where it may be in vain.
///
/// That the other side is closed is not here: it throws `closed`, in every
/// form of every call, because the item has found nobody.
enum class [[nodiscard]] put_result : std::uint8_t {
  /// The item is in the mailbox; its writer may end.
  done,
  /// There was no room, up to the limit where one was given.
  full,
};

} // namespace troupe
