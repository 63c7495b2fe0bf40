// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/pool/supervisor.hpp>

#include <csignal>
#include <cstdint>
#include <string>

namespace troupe::test {

/// The process of a child, 0 while it has none.
[[nodiscard]] inline std::int32_t pid_of(const supervisor& of,
                                         const std::string& id) {
  for (const auto& each : of.which_children())
    if (each.id == id)
      return each.pid;
  return 0;
}

[[nodiscard]] inline bool is_gone(std::int32_t pid) {
  return ::kill(pid, 0) != 0;
}

} // namespace troupe::test
