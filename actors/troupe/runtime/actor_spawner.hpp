// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/named.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/runtime/host_announcement.hpp>

namespace troupe::runtime {

/// When a host's process ends.
enum class host_life : std::uint32_t {
  /// When it is told to.
  until_told,
  /// When the actors that it was asked for, and their children, have ended.
  until_idle,
};

/// The function of a host's process: its main thread is the *spawner*, an actor
/// that makes actors on request and ends the process.
void keep_host(const host_announcement& announcement, host_life life);

} // namespace troupe::runtime

template <>
inline constexpr bool troupe::hosting::leaves_signals_to_root<
  troupe::calls::named<&troupe::runtime::keep_host>>
  = true;
