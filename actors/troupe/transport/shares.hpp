// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/reference.hpp>
#include <troupe/transport/node_name.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::transport {

/// A *share* of an actor is an object in the run's memory that keeps the actor
/// alive as long as somebody holds it or something carries it, such as an item
/// of a queue, an argument of a process, or a value in a state. The handle of
/// an actor carries one wherever no process holds it in between.
///
///     0     owner     packed slot_id of the actor's process
///
/// # What a crash leaves
/// Nothing: a place in the owner's table counts only while the share that it
/// names lives. What keeps the share is the memory's matter: see
/// `memory::reference`.
struct actor_share {
  std::uint64_t owner;
};

/// One place of a table.
///
///     0     share   its id, 0 for a free place
///     8     actor   whose share it is; 0 while the maker writes
struct share_place {
  /// From 0 to a share's id by its maker (acq_rel), who holds the share; back
  /// to 0 (release) by the owner, once that has ended. An id is used once.
  std::atomic<memory::object_id> share;
  /// release by the maker, acquire by the owner.
  std::atomic<std::uint64_t> actor;
};

/// The shares of a process's actors: an object of its own, which its process
/// slot leads to.
///
///     0     owner     packed slot_id
///     8     high      places ever used
///     128   places
struct share_table {
  static constexpr std::size_t size = 4096;

  // `owner`: stored before the table is published by
  // `process_slot::share_table`. `high`: raised with acq_rel by the maker of a
  // share, before the place is taken; seq_cst in `take_ended` and `any_of`.
  std::atomic<std::uint64_t> owner;
  std::atomic<std::uint64_t> high;
  alignas(128) share_place places[size];
};

static_assert(sizeof(actor_share) == 8);
static_assert(offsetof(share_table, places) == 128);

/// The table of this process.
class shares {
public:
  /// Makes it, for others to find. Throws what `memory::reference::create`
  /// does.
  /// @pre nobody can have sent this process anything
  shares();

  /// A new share of an actor, of any process. The caller holds the actor. Empty
  /// where that process has no table or no place left.
  /// Throws what `memory::reference::create` does.
  [[nodiscard]] static memory::reference make(actor_name of);

  /// Whether a share of this process's actor lives.
  [[nodiscard]] bool any_of(caf::actor_id actor) const noexcept;

  /// True if shares have ended since `take_ended` was called.
  [[nodiscard]] bool some_ended() const noexcept {
    return ended_.load(std::memory_order_relaxed) != seen_;
  }

  /// Returns the actors whose shares have ended since. For one thread.
  [[nodiscard]] std::vector<caf::actor_id> take_ended();

private:
  memory::reference table_;
  /// Counted in the slot of the process, which whoever ends a share can always
  /// write to, whether or not the owner lives.
  const std::atomic<std::uint64_t>& ended_;
  std::uint64_t seen_ = 0;
};

/// Each process of the run says how often it has looked for deaths, so that
/// others can wait until it has read all that a dead one had sent.
namespace death_looks {

/// So many looks were asked for until now.
[[nodiscard]] std::uint32_t asked() noexcept;

/// Has all others look once more. Returns the number of that look: whoever has
/// done it has seen each death that the caller has.
std::uint32_t ask() noexcept;

/// This process has done that one, and sent all that follows.
void done(std::uint32_t look) noexcept;

/// Whether all other processes that live and have actors have done it.
[[nodiscard]] bool done_by_all(std::uint32_t look) noexcept;

} // namespace death_looks

} // namespace troupe::transport
