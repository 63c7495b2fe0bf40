// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/calls/named.hpp>
#include <troupe/pool/task_message.hpp>
#include <troupe/pool/task_recipe.hpp>
#include <troupe/process/signals.hpp>

#include <cstdint>
#include <stop_token>
#include <vector>

namespace troupe {

/// The task that the calling worker of a pool runs.
namespace this_task {

/// A token that is triggered when the task's soft limit passes or somebody
/// cancels it. The first call in a worker starts a thread. Outside of a task
/// nobody ever triggers it.
[[nodiscard]] std::stop_token stop_token();

} // namespace this_task

/// What the initialiser of the calling worker returned; it lives as long as the
/// worker, and tasks may change it.
/// Throws `invalid_state` outside of a worker, and if that is no `T`.
template <class T>
[[nodiscard]] T& worker_state() {
  auto& cell = pooling::state_of_this_worker();
  if (cell.type == nullptr || *cell.type != typeid(T))
    throw invalid_state("use the state of a worker",
                        cell.type == nullptr
                          ? "this process has none"
                          : "its initialiser returned another type",
                        "give the pool an initializer that returns it");
  return *static_cast<T*>(cell.value.get());
}

namespace pooling {

/// A function of the program, for another process. 0: none.
struct function_place {
  std::uint64_t module = 0;
  std::uint64_t offset = 0;
  std::uint32_t given = 0;

  [[nodiscard]] os::code_location location() const noexcept {
    return {module, offset};
  }

  /// That of `function`, which may be null.
  [[nodiscard]] static function_place of(const calls::entry* function);
};

/// What a worker is started with.
struct worker_setup {
  message_queue_part tasks;
  message_queue_part results;
  note_part note;
  std::uint32_t index;
  std::uint32_t generation;
  /// Tasks until it ends by itself; 0 for never.
  std::uint64_t most_tasks;
  function_place initializer;
  function_place finalizer;

  void save(codec::encoder& to) const;
  [[nodiscard]] static worker_setup load(codec::decoder& from);
};

/// The function of a worker's process: takes chunks of tasks, runs them one
/// after the other, and reports. The first message holds the initialiser's
/// arguments, where there is an initialiser.
void serve_pool(const worker_setup& setup);

} // namespace pooling

template <>
inline constexpr bool
  hosting::leaves_signals_to_root<calls::named<&pooling::serve_pool>>
  = true;

} // namespace troupe
