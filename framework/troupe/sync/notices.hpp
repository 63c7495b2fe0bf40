// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/sync/actor_place.hpp>
#include <troupe/sync/line.hpp>

#include <cstddef>
#include <cstdint>

namespace troupe::sync {

/// What a condition is in shared memory: a line, and in the mark of each place
/// whether who waits there has been notified.
///
///     0     actor   where its actor is
///     128   the line
///
/// A notification belongs to a place until its owner gives the place up, which
/// is how it takes the notification. If that one dies before, the notification
/// goes to the next.
class notices {
public:
  static constexpr std::uint32_t places = 1024;

  [[nodiscard]] static std::uint64_t size() {
    return sizeof(notices) + line::size(places);
  }

  /// See `memory::layout_of`.
  [[nodiscard]] static constexpr std::uint32_t layout() noexcept {
    return memory::layout_of({sizeof(notices), places});
  }

  /// Takes a place; nullptr if none is free.
  [[nodiscard]] place* enrol(owner me, std::uint32_t host) noexcept;

  /// Sleeps until notified and gives the place up. False: `limit` passed first.
  [[nodiscard]] bool sleep(place& at, std::uint32_t row,
                           deadline limit) noexcept;

  /// Returns whether `at` is notified, without waiting; if so gives it up.
  [[nodiscard]] bool take(place& at, std::uint32_t row) noexcept;

  /// Gives the place up. True: it had been notified.
  bool leave(place& at, std::uint32_t row) noexcept;

  /// The same two for who waits on behalf of `who`, if the place still is that
  /// one's.
  [[nodiscard]] bool take(owner who, place& at, std::uint64_t ticket,
                          std::uint32_t row) noexcept;
  bool withdraw(owner who, place& at, std::uint64_t ticket,
                std::uint32_t row) noexcept;

  /// Notifies up to `count`, in order. Returns how many.
  std::uint32_t notify(std::uint32_t count, std::uint32_t row) noexcept;

  [[nodiscard]] line waiters() noexcept {
    return line{reinterpret_cast<std::byte*>(this) + sizeof(notices), places};
  }

  [[nodiscard]] actor_place& actor() noexcept {
    return actor_;
  }

  void repair(std::uint32_t row) noexcept;

private:
  bool notify_next() noexcept;

  actor_place actor_;
  [[maybe_unused]] std::byte unused_[cache_line - 16];
};

static_assert(sizeof(notices) == cache_line);

} // namespace troupe::sync
