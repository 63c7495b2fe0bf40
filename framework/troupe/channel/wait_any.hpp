// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/channel/wait_source.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

/// Waiting for the first of several things:
///
///     wait_any(socket, tasks, result, child, 5s)   one of each: its place
///     wait_any(futures)                            several of a kind: the index
///     wait_any(futures, 5s)                        the same, with a limit
///
/// Each takes nothing: another thread or process may be faster, so take with a
/// `try_` form where others read too. What has nothing to come (a future that
/// has given its result, or was moved from) is passed over.
namespace troupe {

namespace channel {

/// Waits for the first of `sources`; nothing if `limit` passed first, or if
/// none of them has anything to come.
[[nodiscard]] std::optional<std::size_t>
wait_first(std::span<const wait_source> sources, deadline limit);

/// The same for all of them. Returns false if `limit` passed first.
[[nodiscard]] bool wait_each(std::vector<wait_source> sources, deadline limit);

template <wait_sources Range>
[[nodiscard]] std::vector<wait_source> sources_of(const Range& of) {
  std::vector<wait_source> result;
  for (const auto& each : of)
    result.emplace_back(each);
  return result;
}

} // namespace channel

/// Waits until one of `sources` is ready and returns the index of the first
/// that is.
///
/// Without a descriptor among them this costs a spin and a sleep, like `get`.
/// With one, the wait is one `poll`, and where something else is waited for
/// beside descriptors this process gets a thread that waits for its
/// notifications (once). Throws `invalid_argument` (no sources, a descriptor
/// that is not open), `invalid_state` (none of them has anything to come),
/// `os_failure`.
/// @blocks on all of them
[[nodiscard]] std::size_t wait_any(std::span<const wait_source> sources);

[[nodiscard]] inline std::size_t
wait_any(const std::vector<wait_source>& sources) {
  return wait_any(std::span<const wait_source>{sources});
}

/// The same for one of each; durations and time points count as sources.
template <class First, class... More>
  requires(wait_sourced<First &&> && (wait_sourced<More &&> && ...))
[[nodiscard]] std::size_t wait_any(First&& first, More&&... more) {
  const std::array<wait_source, 1 + sizeof...(More)> sources{
    wait_source(std::forward<First>(first)),
    wait_source(std::forward<More>(more))...};
  return wait_any(std::span<const wait_source>{sources});
}

/// Waits until one of several is ready and returns the index of the first that
/// is: of results, of queues, of processes, in a `std::vector` or any other
/// range. Nothing if `limit`, a duration, time point or deadline, has passed
/// first, or if none has anything to come.
///
///     while (const auto index = wait_any(futures))
///       use(futures[*index].get());
///
/// @blocks on all of them, until `limit`
template <wait_sources_of_a_kind Range>
[[nodiscard]] std::optional<std::size_t> wait_any(const Range& of) {
  const auto sources = channel::sources_of(of);
  return channel::wait_first(sources, deadline::never());
}

template <wait_sources Range, wait_limit Limit>
[[nodiscard]] std::optional<std::size_t>
wait_any(const Range& of, const Limit& limit) {
  const auto until = channel::to_deadline(limit);
  const auto sources = channel::sources_of(of);
  return channel::wait_first(sources, until);
}

/// Waits until all of several are ready; those that have nothing to come are
/// passed over. Returns false if `limit` passed first.
/// @blocks on all of them, until `limit`
template <wait_sources Range>
[[nodiscard]] bool wait_all(const Range& of) {
  return channel::wait_each(channel::sources_of(of), deadline::never());
}

template <wait_sources Range, wait_limit Limit>
[[nodiscard]] bool wait_all(const Range& of, const Limit& limit) {
  const auto until = channel::to_deadline(limit);
  return channel::wait_each(channel::sources_of(of), until);
}

/// Returns the indices of all that are ready now.
[[nodiscard]] std::vector<std::size_t>
all_ready(std::span<const wait_source> sources);

/// The same for one of each kind, and for several of a kind.
template <class First, class... More>
  requires(wait_sourced<First &&> && (wait_sourced<More &&> && ...))
[[nodiscard]] std::vector<std::size_t>
all_ready(First&& first, More&&... more) {
  const std::array<wait_source, 1 + sizeof...(More)> sources{
    wait_source(std::forward<First>(first)),
    wait_source(std::forward<More>(more))...};
  return all_ready(std::span<const wait_source>{sources});
}

template <wait_sources Range>
[[nodiscard]] std::vector<std::size_t> all_ready(const Range& of) {
  return all_ready(std::span<const wait_source>{channel::sources_of(of)});
}

namespace channel {

template <class... Ts>
inline constexpr bool is_range_of_sources = false;
template <class T>
inline constexpr bool is_range_of_sources<T>
  = wait_sources<std::remove_cvref_t<T>>
    || std::convertible_to<T, std::span<const wait_source>>;
template <class T, class Limit>
inline constexpr bool is_range_of_sources<T, Limit>
  = wait_sources<std::remove_cvref_t<T>>
    && wait_limit<std::remove_cvref_t<Limit>>;

template <class... Ts>
concept nothing_to_wait_for = sizeof...(Ts) > 0 && !(wait_sourced<Ts&&> && ...)
                              && !is_range_of_sources<Ts...>;

} // namespace channel

/// What cannot be waited for, and a compile error that says so.
template <class... Ts>
  requires channel::nothing_to_wait_for<Ts...>
std::size_t wait_any(Ts&&...) {
  static_assert(
    !channel::nothing_to_wait_for<Ts...>,
    "troupe: wait_any waits for queues, connections, processes, futures, "
    "events, "
    "held events and queues, descriptors, durations and time points, or for a "
    "range of one of these and a limit; an argument is none of them");
  return 0;
}

} // namespace troupe
