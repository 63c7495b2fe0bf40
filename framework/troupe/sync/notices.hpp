// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/memory/late_object.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/sync/actor_place.hpp>
#include <troupe/sync/line.hpp>

#include <cstdint>

namespace troupe::sync {

/// What a condition is in shared memory: a line, and in the mark of each place
/// whether who waits there has been notified.
///
///     0     actor   where its actor is
///     16    door    the latch of the line
///     24    line    an object of its own, made for the first who waits
///
/// A notification belongs to a place until its owner gives the place up, which
/// is how it takes the notification. If that one dies before, the notification
/// goes to the next.
class notices {
public:
  static constexpr std::uint32_t places = 1024;

  [[nodiscard]] static constexpr std::uint64_t size() noexcept {
    return sizeof(notices);
  }

  /// See `memory::layout_of`.
  [[nodiscard]] static constexpr std::uint32_t layout() noexcept {
    return memory::layout_of({sizeof(notices), places});
  }

  /// Takes a place; nullptr if none is free, or there is no memory for the line.
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
    return line{door_, line_.find(), places};
  }

  [[nodiscard]] bool has_line() const noexcept {
    return line_.find() != nullptr;
  }

  /// Gives up the line; for the condition's last holder.
  void dispose() noexcept {
    line_.give_up(memory::owner::first);
  }

  [[nodiscard]] actor_place& actor() noexcept {
    return actor_;
  }

  void repair(std::uint32_t row) noexcept;

private:
  bool notify_next() noexcept;

  actor_place actor_;
  latch door_;
  memory::late_object line_;
};

static_assert(sizeof(notices) <= memory::object_head::size_inside);

} // namespace troupe::sync
