// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <compare>

/// The version of these headers, for the preprocessor. CMake refuses to
/// configure Troupe where it differs from the project's.
#define TROUPE_VERSION_MAJOR 0
#define TROUPE_VERSION_MINOR 2
#define TROUPE_VERSION_PATCH 0

/// All in one number: `#if TROUPE_VERSION >= 200` means 0.2.0 or later.
#define TROUPE_VERSION                                                         \
  (TROUPE_VERSION_MAJOR * 10000 + TROUPE_VERSION_MINOR * 100                   \
   + TROUPE_VERSION_PATCH)

namespace troupe {

/// A version; the greater one is the later one.
struct version_number {
  int major_number;
  int minor_number;
  int patch_number;

  friend constexpr auto
  operator<=>(const version_number&, const version_number&)
    = default;
};

/// The version of these headers. What has to be the same on both ends of a
/// connection is in docs/reference/versions.md.
inline constexpr version_number version{TROUPE_VERSION_MAJOR,
                                        TROUPE_VERSION_MINOR,
                                        TROUPE_VERSION_PATCH};

} // namespace troupe
