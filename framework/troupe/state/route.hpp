// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace troupe::held {

/// What a message to a state's process is about: the first 16 bytes of it.
struct message_route {
  enum what_it_is : std::uint32_t {
    /// A call, whose head this is the beginning of.
    call = 0,
    /// The handle of the end through which pipe number `pipe` is answered.
    open,
    /// The client closes that pipe.
    close,
    /// The client does not wait for `call` any more.
    withdraw,
    /// A call that is waited for in a function which another state executes.
    nested_call,
  };

  std::uint32_t what;
  std::uint32_t pipe;
  std::uint64_t number;
};

static_assert(sizeof(message_route) == 16);

/// The type of what goes through a pipe of answers, for its fingerprint. Each
/// is the number of its call, 8 bytes, and the answer.
struct answer_message {};

} // namespace troupe::held
