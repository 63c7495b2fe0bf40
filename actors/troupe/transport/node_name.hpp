// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/memory/run_memory.hpp>

#include <caf/fwd.hpp>
#include <caf/node_id.hpp>

#include <optional>

namespace troupe::transport {

/// The node id of a process of this run: identity of the run, place in the
/// process table, and generation. A process that takes the place of a dead one
/// is another node, so no old handle reaches it.
///
///     0     "trpe"
///     4     half of the run's identity
///     12    slot index
///     16    slot generation
[[nodiscard]] caf::node_id node_of(memory::slot_id process);

/// Returns which process of this run a node is; nothing for any other node.
[[nodiscard]] std::optional<memory::slot_id>
process_of(const caf::node_id& node) noexcept;

/// An actor of the run, by process and id.
struct actor_name {
  memory::slot_id process;
  caf::actor_id actor = 0;

  friend bool operator==(const actor_name&, const actor_name&) noexcept
    = default;
};

/// Returns whose handle it is that CAF's inspect function of a handle has
/// written as these bytes; nothing for an empty one, and for an actor of
/// another machine.
[[nodiscard]] std::optional<actor_name>
name_in_handle(bytes_view written) noexcept;

} // namespace troupe::transport
