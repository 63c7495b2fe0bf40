// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <vector>

namespace troupe::os {

/// Marks the calling process and all that will descend from it, through every
/// fork and exec; returns false if it could not. A number that is drawn at
/// random makes one mark differ from those of others.
///
/// A zombie still bears the mark, so that whoever adopts the orphans of a dead
/// process can tell them from its own children. It is the soft limit of
/// RLIMIT_LOCKS, which Linux inherits as every limit and has enforced for
/// nothing since version 2.4.25.
bool mark_lineage(std::uint64_t random) noexcept;

/// Returns the value of the limit that is that mark.
[[nodiscard]] std::uint64_t lineage_mark(std::uint64_t random) noexcept;

/// Returns whether process `pid`, a zombie too, bears a mark that the calling
/// process does not bear: then its parent was another at first. False if the
/// system does not tell (another user's process).
[[nodiscard]] bool has_other_lineage(std::int32_t pid) noexcept;

/// Returns the children of the calling process, ended ones too; none where
/// the kernel does not tell. May miss one while others end. Each number must be
/// checked: it was a child's a moment ago.
[[nodiscard]] std::vector<std::int32_t> children();

/// Orphans among the descendants become children of the calling process, or no
/// more. Returns what was so before.
bool adopt_orphans(bool adopt) noexcept;

} // namespace troupe::os
