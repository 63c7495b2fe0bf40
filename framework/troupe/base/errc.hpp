// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// Every failure that Troupe reports, one line each; 0 is "none".
///
/// Regular outcomes (empty, full, timed out) are not here: the `try_`, `_for`
/// and `_until` forms answer those with an `optional` or a small enum.
enum class errc : std::uint8_t {
  none = 0,
  /// An argument is outside of what the function's comment allows.
  invalid_argument,
  /// The call does not fit the state: a start before `program`, say.
  invalid_state,
  /// The object behind a handle is gone, or never was.
  stale_handle,
  /// A limit of the run is reached: memory, address space, processes, handles.
  limit_reached,
  /// The operating system refused a call; `os_error()` says with which errno.
  os_failure,
  /// Bytes from another process do not decode as what was expected.
  malformed_bytes,
  /// The mailbox, queue or connection is closed.
  closed,
  /// The process on the other side is dead.
  peer_died,
  /// A deadline passed inside an operation that cannot answer "timed out".
  timed_out,
  /// A function in another process ended with an exception.
  remote_exception,
  /// A process ended before it gave its result.
  process_died,
  /// A function or actor is not known in the process that should run it.
  unknown_function,
  /// The caller does not hold what it tries to give back.
  not_owner,
  /// The caller would wait for itself for ever.
  would_deadlock,
  /// A barrier was broken by a time-out, an abort, a reset or a death.
  broken_barrier,
  /// The network peer does not have the key, or the bytes are not ours.
  not_authentic,
  /// The connection to another machine is lost.
  connection_lost,
  /// A task was cancelled before it ended.
  cancelled,
  /// A message type is not in the type-id block of both processes alike.
  unknown_message_type,
  /// Nothing has that name: no actor, held object, field or child.
  unknown_name,
  /// Another machine is not there any more, and what ran there has ended.
  machine_lost,
};

/// Returns the enumerator's own name, for logs and error texts.
[[nodiscard]] std::string_view to_string(errc code) noexcept;

} // namespace troupe
