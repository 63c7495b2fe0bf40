// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/transport/node_name.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace troupe::transport {

/// What a *share* of an actor is in the run's memory: an object that keeps the
/// actor alive as long as somebody holds it or something carries it, such as an
/// item of a queue, an argument of a process, or a value in a state. The handle
/// of an actor carries one wherever no process holds it in between.
inline constexpr memory::object_kind share_kind{900};

/// A share.
///
///     0     table       offset of the table in which it is entered
///     8     place       index of its place there
///     16    mark        what stands at that place while the share lives
///
/// # What a crash leaves
/// A process that holds it and dies is struck out by whoever confirms that; with
/// the last, `dispose` says so in the table. A process that is killed after it
/// has taken a place and before the share exists leaves the actor alive until
/// its process ends.
struct actor_share {
  memory::offset table;
  std::uint64_t place;
  std::uint64_t mark;
};

/// One place of a table.
///
///     0     state   how often it was used << 2, and: 0 free, 1 taken,
///                   2 given up
///     8     actor   whose share it is
struct share_place {
  /// acq_rel, from each state to the next by compare-exchange: whoever takes or
  /// gives up pairs with the owner's look.
  std::atomic<std::uint64_t> state;
  std::atomic<std::uint64_t> actor;
};

/// The shares of a process's actors, and what others need to know of it: an
/// object of its own, which its process slot leads to.
///
///     0     owner     packed slot_id
///     8     given_up  counts each share that ends
///     16    high      places ever used
///     24    deaths    so many deaths has the owner dealt with
///     128   places
struct share_table {
  static constexpr std::size_t size = 4096;

  std::atomic<std::uint64_t> owner;
  /// release by whoever ends a share, acquire by the owner.
  std::atomic<std::uint64_t> given_up;
  std::atomic<std::uint64_t> high;
  /// release by the owner, after everything that follows from those deaths was
  /// sent; acquire by others.
  std::atomic<std::uint32_t> deaths;
  alignas(128) share_place places[size];
};

static_assert(sizeof(actor_share) == 24);
static_assert(offsetof(share_table, places) == 128);

/// The table of this process.
class shares {
public:
  /// Makes it, for others to find. Throws what `memory::reference::create` does.
  shares();

  /// A new share of an actor, of any process. The caller holds the actor. Empty
  /// where that process has no table or no place left.
  /// Throws what `memory::reference::create` does.
  [[nodiscard]] static memory::reference make(actor_name of);

  /// Whether a share of this process's actor lives.
  [[nodiscard]] bool any_of(caf::actor_id actor) const noexcept;

  /// True if shares have ended since `take_given_up` was called.
  [[nodiscard]] bool some_given_up() const noexcept {
    return table_.as<share_table>()->given_up.load(std::memory_order_relaxed)
           != seen_;
  }

  /// Returns the actors whose shares have ended since.
  [[nodiscard]] std::vector<caf::actor_id> take_given_up();

  /// Says that this process has dealt with so many deaths of the run.
  void deaths_dealt_with(std::uint32_t count) noexcept {
    table_.as<share_table>()->deaths.store(count, std::memory_order_release);
  }

  /// Whether that process has, or is gone, or has no actors.
  [[nodiscard]] static bool has_dealt_with(memory::slot_id process,
                                           std::uint32_t count);

private:
  memory::reference table_;
  std::uint64_t seen_ = 0;
};

} // namespace troupe::transport
