// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/machines/placed_actors.hpp>

#include <caf/actor_control_block.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::machines {

class remote_call;
struct spawn_order;
struct start_order;

/// A machine as the calling process knows it: the root of the lead's run has
/// the connection, all other processes ask that. Any thread.
class known_machine {
public:
  known_machine() = default;
  known_machine(const known_machine&) = delete;
  known_machine& operator=(const known_machine&) = delete;
  virtual ~known_machine() = default;

  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t number() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<std::string>& labels() const noexcept
    = 0;
  [[nodiscard]] virtual unsigned processors() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t memory() const noexcept = 0;
  [[nodiscard]] virtual bool is_there() const = 0;

  /// Has it start a process. Throws `machine_lost`, `cancelled`,
  /// `limit_reached`.
  [[nodiscard]] virtual std::shared_ptr<remote_call>
  start(start_order what, const placed_actors& actors) = 0;

  /// Has it make an actor in a process of its own. Throws as `machine::spawn`.
  /// @blocks on that machine, until the actor's function has returned
  [[nodiscard]] virtual caf::strong_actor_ptr
  spawn(spawn_order what, const placed_actors& actors)
    = 0;

  /// Signals a process that `start` has given; nothing where that has ended.
  virtual void signal(const remote_call& to, std::int32_t number) = 0;
};

} // namespace troupe::machines
