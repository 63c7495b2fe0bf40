// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>

#include <chrono>

namespace troupe::codec {

template <class Rep, class Period>
struct standard<std::chrono::duration<Rep, Period>> {
  using type = std::chrono::duration<Rep, Period>;
  using parts = type_list<Rep>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = true;

  static consteval std::size_t least() {
    return least_size<Rep>;
  }

  static void save(encoder& to, const type& from) {
    to.save<Rep>(from.count());
  }

  static type load(decoder& from) {
    return type{from.load<Rep>()};
  }
};

/// Every process of a run has the same steady clock, so its points travel too.
template <class Clock, class Duration>
struct standard<std::chrono::time_point<Clock, Duration>> {
  using type = std::chrono::time_point<Clock, Duration>;
  using parts = type_list<Duration>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = true;

  static consteval std::size_t least() {
    return least_size<Duration>;
  }

  static void save(encoder& to, const type& from) {
    to.save<Duration>(from.time_since_epoch());
  }

  static type load(decoder& from) {
    return type{from.load<Duration>()};
  }
};

} // namespace troupe::codec
