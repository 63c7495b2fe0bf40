// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::os {

/// Returns whether the calling process's standard error is a terminal.
[[nodiscard]] bool errors_go_to_terminal() noexcept;

} // namespace troupe::os
