// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::machines {

/// SIGTERM and Ctrl-C at a machine that has joined: the first asks it to leave,
/// the second ends it. Before it has joined the first does. Signals that the
/// program has set otherwise stay as they are.
class leave_signal {
public:
  /// Handles them from now on. Before the run is made, whose root would else
  /// die of them. Throws `os_failure`.
  static void install();

  /// From now on the first asks.
  static void take_effect() noexcept;

  /// Whether one has asked.
  [[nodiscard]] static bool came() noexcept;

  /// An eventfd that is notified then, and that others may notify.
  [[nodiscard]] static int event() noexcept;
};

} // namespace troupe::machines
