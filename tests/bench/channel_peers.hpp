// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

/// What C++ programs use where they have no Troupe, each between this process
/// and a bare fork of it.
namespace bench::peers {

/// Messages of 4 bytes a second through Boost.Interprocess's message_queue.
[[nodiscard]] double boost_queue(long count);

/// The same through ZeroMQ's ipc transport, as it comes; 0 where it was not
/// there to be compiled in.
[[nodiscard]] double zeromq(long count);

/// Messages of `size` bytes a second through a Unix socket pair.
[[nodiscard]] double socket_pair(long count, std::size_t size);

/// Microseconds of a round trip of 8 bytes through one, measured for a while.
[[nodiscard]] double socket_pair_round_trip(double seconds);

/// Copies of `size` bytes a second, inside of one process.
[[nodiscard]] double copy(long count, std::size_t size);

} // namespace bench::peers
