// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/coding.hpp>
#include <troupe/memory/reference.hpp>

#include <atomic>
#include <cstdint>

namespace troupe::runtime {

/// Where a new host says that it is ready, and through which actor.
///
///     0    spawner   actor id of the host's spawner; 0 until it exists
///
/// # What a crash leaves
/// A host that dies before it is ready leaves 0; whoever waits looks at the
/// process too.
struct host_cell_words {
  /// release in `host_cell::announce`, acquire in `host_cell::actor_spawner`.
  std::atomic<std::uint64_t> actor_spawner;
};

static_assert(sizeof(host_cell_words) == 8);

/// Handle of such a place; the argument of a host's process.
class host_cell {
public:
  [[nodiscard]] static host_cell make() {
    return host_cell{memory::reference::create(memory::object_kind::block,
                                               sizeof(host_cell_words))};
  }

  [[nodiscard]] std::uint64_t actor_spawner() const noexcept {
    return cell_.as<host_cell_words>()->actor_spawner.load(
      std::memory_order_acquire);
  }

  void announce(std::uint64_t actor_spawner) const noexcept {
    cell_.as<host_cell_words>()->actor_spawner.store(actor_spawner,
                                                     std::memory_order_release);
  }

  void save(codec::encoder& to) const {
    to.handle(cell_);
  }

  [[nodiscard]] static host_cell load(codec::decoder& from) {
    auto cell = from.handle(memory::object_kind::block);
    if (!cell || cell.size() < sizeof(host_cell_words))
      from.refuse("a host's cell", "the object is none");
    return host_cell{std::move(cell)};
  }

private:
  explicit host_cell(memory::reference cell) noexcept : cell_(std::move(cell)) {
  }

  memory::reference cell_;
};

} // namespace troupe::runtime
