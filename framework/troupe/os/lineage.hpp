// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <vector>

namespace troupe::os {

/// Marks the calling process and all that will descend from it, through every
/// fork and exec, with a number from 1 to 2^62; returns false if it could not.
///
/// A zombie still bears the mark, so that whoever adopts the orphans of a dead
/// process can tell them from its own children. It is the soft limit of
/// RLIMIT_LOCKS, which Linux inherits as every limit and has enforced for nothing
/// since version 2.4.
bool mark_lineage(std::uint64_t mark) noexcept;

/// Returns whether process `pid`, a zombie too, bears that mark. False if the
/// system does not tell (another user's process).
[[nodiscard]] bool bears_mark(std::int32_t pid, std::uint64_t mark) noexcept;

/// Returns the children of the calling process, ended ones too; none where
/// the kernel does not tell. May miss one while others end. Each number must be
/// checked: it was a child's a moment ago.
[[nodiscard]] std::vector<std::int32_t> children();

/// Orphans among the descendants become children of the calling process, or no
/// more. Returns what was so before.
bool adopt_orphans(bool adopt) noexcept;

} // namespace troupe::os
