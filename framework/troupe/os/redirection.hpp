// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>

#include <string_view>

namespace troupe::os {

/// Another descriptor of what `number` stands for, 2 say, closed on exec and
/// numbered above 2; none where that is not open. Throws `os_failure`.
[[nodiscard]] descriptor duplicate_standard(int number);

/// Makes what `number` stands for, 1 or 2 say, the open file of `fd`, also in
/// programs that are executed. Throws `os_failure`.
void put_at(int number, const descriptor& fd);

/// Writes `text`, of at most a page, where there is room for it now; else, and
/// where nobody reads any more, nothing.
void write_if_room(int fd, std::string_view text) noexcept;

} // namespace troupe::os
