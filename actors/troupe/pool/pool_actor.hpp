// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/pool/pool.hpp>
#include <troupe/pool/pool_messages.hpp>
#include <troupe/pool/task_recipe.hpp>
#include <troupe/transport/bundle_response.hpp>

#include <caf/error.hpp>
#include <caf/result.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace troupe {

/// The actor of a pool: tasks by message, from any process of the run, answered
/// when they are done.
///
///     pooling::task    runs it; answered with pooling::answer
///     size             how many workers the pool has
///     task_done, number    not for users
///
/// What a task throws, or its worker dies of, is an error of category
/// `troupe::errc` whose text tells the story. Once the pool is closed the
/// answer is `closed`.
///
/// # What a crash leaves
/// If the pool's process dies, requests fail at once. If the sender's process
/// dies, its tasks run and nobody hears of them.
using pool_actor
  = caf::typed_actor<caf::result<pooling::answer>(pooling::task),
                     caf::result<std::uint32_t>(size_atom),
                     caf::result<void>(task_done_atom, std::uint64_t)>;

/// Returns the actor of a pool, made by the first call; it ends with the pool.
/// Only in the pool's own process; the handle may go anywhere. Throws `closed`
/// after `terminate`.
[[nodiscard]] pool_actor actor_of(const pool& of);

namespace pooling {

/// The message that has `F` called with these arguments, checked as by
/// `pool::apply`. Handles may be among them. Throws `limit_reached`.
template <auto F, class... Args>
[[nodiscard]] task task_of(Args&&... args) {
  using callable = calls::named<F>;
  require_applicable<callable, Args&&...>();
  if constexpr (applicable<callable, Args&&...>) {
    const auto at = task_entry<callable>.location();
    return {at.module, at.offset,
            bundle{calls::pack_arguments<typename callable::signature>(
              std::forward<Args>(args)...)}};
  } else {
    return {};
  }
}

/// Reads the result of a task of `F`. Throws `malformed_bytes`; for handles
/// `stale_handle` and `limit_reached`.
template <auto F>
[[nodiscard]] result_of<calls::named<F>> result_in(const answer& from) {
  using result = result_of<calls::named<F>>;
  if constexpr (!std::is_void_v<result>)
    return from.result.get<result>();
}

/// Runs `F` in a pool for an actor, without blocking it:
///
///     pooling::request<square>(self, workers, 10s, 7)
///       .then([=](long result) { ... }, [=](const caf::error& why) { ... });
///
/// What it returns has CAF's `then` and `await`; where `self` is a
/// `caf::scoped_actor`, `receive`.
template <auto F, class Self, class Timeout, class... Args>
[[nodiscard]] auto request(const Self& self, const pool_actor& to,
                           Timeout timeout, Args&&... args) {
  auto handle = self->request(to, timeout,
                              task_of<F>(std::forward<Args>(args)...));
  return transport::bundle_response<result_of<calls::named<F>>, answer,
                                    decltype(handle)>{std::move(handle)};
}

} // namespace pooling

} // namespace troupe
