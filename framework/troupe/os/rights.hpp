// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe::os {

/// What the system lets the calling thread do: user, groups, capabilities,
/// root directory, and whether it has given up new privileges for good.
class rights {
public:
  /// Notes those of the calling thread. Six system calls.
  [[nodiscard]] static rights of_this_thread();

  friend bool operator==(const rights&, const rights&) noexcept = default;

  /// Says in a few words what `other` has otherwise: "user 0 (here 1000)".
  /// Empty if they are equal.
  [[nodiscard]] std::string difference(const rights& other) const;

private:
  /// Real, effective and saved.
  std::array<std::uint32_t, 3> user_{};
  std::array<std::uint32_t, 3> group_{};
  /// Sorted.
  std::vector<std::uint32_t> groups_;
  /// Effective, permitted and inheritable; 64 of each.
  std::array<std::uint32_t, 6> capabilities_{};
  /// Device and number of the root directory.
  std::array<std::uint64_t, 2> root_{};
  /// `PR_SET_NO_NEW_PRIVS`, which seccomp filters want too.
  bool no_new_privileges_ = false;
};

} // namespace troupe::os
