// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>

namespace troupe::hosting {

/// What `ps` calls the fork server, and a host before it has claimed its slot.
inline constexpr const char* fork_server_name = "troupe-forks";

/// Runs the fork server in the calling process: forks a host for each request
/// and confirms the death of each. Single-threaded; ends with the run.
///
/// Returns only in a forked host: the slot that it has to fill.
///
/// # What a crash leaves
/// Nothing undone. Requests wait in a pipe that the root keeps open and stand
/// in the process table; a new server takes up what it finds there. A host that
/// was being made when the server died may be made twice: the first to claim
/// the slot runs, the other ends at once. Hosts that run are not disturbed, and
/// the root confirms their deaths.
[[nodiscard]] memory::slot_id serve_forks();

} // namespace troupe::hosting
