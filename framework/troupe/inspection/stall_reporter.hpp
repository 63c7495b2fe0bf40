// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <memory>

namespace troupe::inspection {

/// Says on standard error when something of the run stands still: what
/// `find_stalls` finds, in sentences, once for each such finding. For the root,
/// behind its `troupe::program`:
///
///     troupe::program program{argc, argv};
///     const troupe::inspection::stall_reporter reporter{30s};
///
/// For the whole run there is `run_options::report_stall`, which makes one.
///
/// It has a thread, which looks several times in `after`, and costs nothing
/// between. It ends nothing.
///
/// # Across a plain fork
/// The copy does nothing.
class stall_reporter {
public:
  /// @param after how long something stands still before that is said; at least
  ///        a fifth of a second
  /// Throws `invalid_state` (no `troupe::program`), `os_failure` (no thread).
  explicit stall_reporter(std::chrono::nanoseconds after);

  stall_reporter(const stall_reporter&) = delete;
  stall_reporter& operator=(const stall_reporter&) = delete;
  ~stall_reporter();

private:
  class watcher;

  std::unique_ptr<watcher> watcher_;
};

} // namespace troupe::inspection
