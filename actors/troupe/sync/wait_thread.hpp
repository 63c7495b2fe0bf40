// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>

#include <caf/actor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace troupe::sync {

/// Waits on behalf of the actors of the services host: one thread that sleeps
/// on the process's wake word and looks what has become ready.
///
/// An actor is sent `(woken_atom, key)` once for each `watch`, when `ready`
/// returns true or the limit has passed.
class wait_thread {
public:
  /// The calling process's; started at first use, never ended.
  [[nodiscard]] static wait_thread& of_this_process();

  /// `ready` is called by the wait thread's thread and must neither block nor
  /// throw. What it looks at must stay until `forget` has returned, or the
  /// message has come.
  void watch(std::uint64_t key, caf::actor whom, std::function<bool()> ready,
             deadline limit);

  /// `ready` is not called any more.
  void forget(std::uint64_t key);

  /// A number that no other watch of this process has.
  [[nodiscard]] std::uint64_t next_key();

private:
  struct entry {
    caf::actor whom;
    std::function<bool()> ready;
    deadline limit;
  };

  wait_thread();
  void run();

  std::mutex mutex_;
  std::map<std::uint64_t, entry> entries_;
  std::uint64_t last_key_ = 0;
};

} // namespace troupe::sync
