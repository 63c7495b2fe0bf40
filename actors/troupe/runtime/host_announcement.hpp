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
struct host_announcement_words {
  /// release in `host_announcement::announce`, acquire in
  /// `host_announcement::actor_spawner`.
  std::atomic<std::uint64_t> actor_spawner;
};

static_assert(sizeof(host_announcement_words) == 8);

/// Handle of such a place; the argument of a host's process.
class host_announcement {
public:
  [[nodiscard]] static host_announcement make() {
    return host_announcement{memory::reference::create(
      memory::object_kind::block, sizeof(host_announcement_words))};
  }

  [[nodiscard]] std::uint64_t actor_spawner() const noexcept {
    return object_.as<host_announcement_words>()->actor_spawner.load(
      std::memory_order_acquire);
  }

  void announce(std::uint64_t actor_spawner) const noexcept {
    object_.as<host_announcement_words>()->actor_spawner.store(
      actor_spawner, std::memory_order_release);
  }

  void save(codec::encoder& to) const {
    to.handle(object_);
  }

  [[nodiscard]] static host_announcement load(codec::decoder& from) {
    auto announcement = from.handle(memory::object_kind::block);
    if (!announcement || announcement.size() < sizeof(host_announcement_words))
      from.refuse("a host's announcement", "it names an object that is none");
    return host_announcement{std::move(announcement)};
  }

private:
  explicit host_announcement(memory::reference announcement) noexcept
    : object_(std::move(announcement)) {
  }

  memory::reference object_;
};

} // namespace troupe::runtime
