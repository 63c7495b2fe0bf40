// SPDX-License-Identifier: BSL-1.0
#include "high_water_mark.hpp"

#include <troupe/os/crash_point.hpp>

#include <utility>

namespace troupe {

high_water_mark::high_water_mark(std::int64_t start) : highest_(start) {
}

high_water_mark::high_water_mark(value<std::int64_t> highest) noexcept
  : highest_(std::move(highest)) {
}

//[report
bool high_water_mark::report(std::int64_t number) const noexcept {
  // Nothing else is published by the mark, so the order of its accesses is
  // relaxed; the exchange fails if another report came between.
  auto seen = highest_.load(std::memory_order_relaxed);
  while (seen < number) {
    TROUPE_CRASH_POINT("shared.report.before_exchange");
    if (highest_.compare_exchange(seen, number, std::memory_order_relaxed))
      return true;
  }
  return false;
}
//]

std::int64_t high_water_mark::highest() const noexcept {
  return highest_.get();
}

//[coding
void high_water_mark::save(codec::encoder& to) const {
  highest_.save(to);
}

high_water_mark high_water_mark::load(codec::decoder& from) {
  return high_water_mark{value<std::int64_t>::load(from)};
}
//]

} // namespace troupe
