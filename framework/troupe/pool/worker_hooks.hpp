// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/entry.hpp>
#include <troupe/pool/task_recipe.hpp>

#include <utility>

namespace troupe {

/// What each worker of a pool does before its first task and after its last.
///
///     troupe::pool pool{options, troupe::worker_hooks{}
///                                  .on_start<open_database>("names.db")
///                                  .on_end<close_database>()};
///
/// What the first one returns is the worker's state, for `worker_state<T>()`.
/// The last one is not called in a worker that is killed. A worker whose
/// initialiser throws ends; if that goes on, every task of the pool fails with
/// its story: see `pool_options::intensity`.
class worker_hooks {
public:
  worker_hooks() = default;

  template <auto F, class... Args>
  [[nodiscard]] worker_hooks on_start(Args&&... args) && {
    using callable = calls::named<F>;
    using signature = typename callable::signature;
    calls::require_accepts<signature, Args&&...>();
    if constexpr (calls::accepts<signature, Args&&...>) {
      initializer_ = &pooling::initializer_entry<callable>;
      arguments_
        = calls::pack_arguments<signature>(std::forward<Args>(args)...);
    }
    return std::move(*this);
  }

  template <auto F>
  [[nodiscard]] worker_hooks on_end() && {
    using callable = calls::named<F>;
    calls::require_accepts<typename callable::signature>();
    if constexpr (calls::accepts<typename callable::signature>)
      finalizer_ = &pooling::finalizer_entry<callable>;
    return std::move(*this);
  }

private:
  friend class pool;

  const pooling::initializer_function* initializer_ = nullptr;
  codec::packet arguments_;
  const pooling::finalizer_function* finalizer_ = nullptr;
};

} // namespace troupe
