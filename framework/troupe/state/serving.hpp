// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>

#include <cstdint>
#include <functional>

/// The door of a state's process for clients of other programs: whoever carries
/// their bytes calls these, in the state's process, from any thread.
namespace troupe::held {

/// Called once with the bytes of an answer, from any thread, perhaps before
/// `serve` returns; it must not wait and must not call back. Never called after
/// `client_gone` has returned for its client.
using reply_function = std::function<void(bytes_view answer)>;

/// Executes the call in `request` in the name of remote client `client`, a
/// number that the carrier never uses for another. Whatever the bytes are, the
/// answer goes to this client alone.
/// Throws `invalid_state` in a process that is not a state's.
/// @blocks on the function that the state just runs
void serve(std::uint64_t client, bytes_view request, reply_function reply);

/// The client is gone: its calls that wait are forgotten, and what it alone
/// held ends.
void client_gone(std::uint64_t client);

} // namespace troupe::held
