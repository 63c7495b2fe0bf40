// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/process/listener.hpp>
#include <troupe/process/server_process.hpp>

#include <cstdint>
#include <stop_token>

namespace troupe::hosting {

/// SIGINT and SIGTERM in the root, which decides what becomes of the run. All
/// but `token` and `deadly_signal` is for the root supervisor's thread.
///
/// The first of them asks the run to end. In a root that does not listen it
/// holds all threads, has every process of the user's end by that signal, and
/// dies of it: when all that have not died at once have ended, or the run's
/// grace is over, or at the next Ctrl-C, after killing what is left. A root
/// that listens (`interrupt_token()`) has the grace for itself as well, and
/// ends as it likes. Processes that serve others are not told. Where the user
/// has set a signal otherwise before, nothing of this happens.
class root_signals {
public:
  /// Handles the signals that the user has left at their default; notifies
  /// `event` when one comes.
  static void install(int event) noexcept;

  /// Undoes that, if nobody has set them otherwise since.
  static void forget() noexcept;

  /// Returns the token of the root for a set of signals: see `bit_of`.
  [[nodiscard]] std::stop_token token(std::uint32_t set);

  /// Returns the signal that the root is about to die of, 0 if none.
  [[nodiscard]] static int deadly_signal() noexcept;

  /// Does what the signals that have come ask for. Does not return when the run
  /// is to be ended.
  void answer(server_process& server);

  /// Whether `answer` is to be called again within milliseconds: of the end of
  /// a process, and of the grace, nothing tells.
  [[nodiscard]] bool is_answering() const noexcept {
    return limit_ != 0;
  }

private:
  void request_stop(std::uint32_t which);
  static void pass_on();

  /// When the grace after the first signal is over; 0 before.
  std::int64_t limit_ = 0;
  std::uint32_t requested_ = 0;
  stop_sources sources_;
};

} // namespace troupe::hosting
