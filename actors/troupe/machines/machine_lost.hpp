// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>

namespace troupe {

/// A machine is not there any more: its root has died, the way there is cut, or it
/// has left. What ran there has ended. `code()` is `errc::connection_lost`, of which
/// this is a kind.
class machine_lost : public connection_lost {
public:
  using connection_lost::connection_lost;
};

} // namespace troupe
