// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>

namespace troupe::os {

/// The rope by which a whole run hangs on its root.
///
/// A pipe whose writing end only the root holds. Every other process arms its
/// reading end so that the *kernel* sends it SIGKILL when the writing end is
/// closed, which happens however the root ends. No thread, no polling, and no
/// other process of the run has to be alive for it. (One that has closed its
/// end, or executed another program, hangs on it no more; the fork server kills
/// those when it sees the root gone.) Why not `PR_SET_PDEATHSIG`: it hangs on
/// the parent *thread*, and a host's parent is the fork server, whose death
/// must not disturb the host.
struct life_line {
  descriptor reader;
  descriptor writer;
};

/// Throws `os_failure`.
[[nodiscard]] life_line make_life_line();

/// From now on the calling process is killed when the root of `reader` ends;
/// at once if it has ended already. Returns the armed descriptor, which must
/// stay open. Throws `os_failure`; needs /proc.
[[nodiscard]] descriptor arm_life_line(int reader);

/// Returns a descriptor that becomes readable, in the sense of `wait_readable`,
/// when the root of `reader` ends; the calling process goes on then even if it
/// was stopped. Throws `os_failure`; needs /proc.
[[nodiscard]] descriptor watch_life_line(int reader);

} // namespace troupe::os
