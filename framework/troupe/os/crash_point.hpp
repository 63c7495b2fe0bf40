// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

/// Names a place where tests make the process die.
///
/// Tests link a variant of the libraries that is compiled with
/// `TROUPE_CRASH_POINTS`: there an armed point kills the calling process with
/// SIGKILL, as the kernel would; an unarmed one is one load. In the libraries
/// that are installed, measured and shown in examples it is nothing, and nobody
/// reads the environment for it. The name is "part.operation.moment", such as
/// "mailbox.put.before_commit".
#if defined(TROUPE_CRASH_POINTS)
#  define TROUPE_CRASH_POINT(name) ::troupe::os::reach_crash_point(name)
#elif defined(TROUPE_WITHOUT_CRASH_POINTS)
#  define TROUPE_CRASH_POINT(name)                                             \
    static_assert(false, "this source had no crash point when CMake last "     \
                         "looked: run cmake again")
#else
#  define TROUPE_CRASH_POINT(name) static_cast<void>(0)
#endif

#ifdef TROUPE_CRASH_POINTS

namespace troupe::os {

/// From now on the calling process dies when it reaches point `name` for the
/// `countdown`-th time. One point is armed at a time; an empty name disarms.
/// The environment variable TROUPE_CRASH_POINT ("name" or "name:countdown")
/// arms a process that is started with it.
void arm_crash_point(std::string_view name, unsigned countdown = 1) noexcept;

/// What `TROUPE_CRASH_POINT` calls.
void reach_crash_point(const char* name) noexcept;

} // namespace troupe::os

#endif
