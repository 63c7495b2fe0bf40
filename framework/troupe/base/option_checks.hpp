// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>

#include <chrono>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

namespace troupe {

/// Throws `invalid_argument`, which names the option, unless the time is longer
/// than none.
inline void require_positive(const std::string& attempted,
                             const std::string& option,
                             std::chrono::nanoseconds time) {
  if (time.count() <= 0)
    throw invalid_argument(attempted, option + " is "
                                        + std::to_string(time.count())
                                        + " ns: it has to be longer than 0");
}

inline void
require_positive(const std::string& attempted, const std::string& option,
                 const std::optional<std::chrono::nanoseconds>& time) {
  if (time)
    require_positive(attempted, option, *time);
}

/// Throws `invalid_argument`, which names the option, for a number that was
/// negative before it was converted to an unsigned one: one of the last 65,536
/// of its type. Whatever bounds the option speaks of other large numbers.
template <std::unsigned_integral Number>
void require_not_negative(const std::string& attempted,
                          const std::string& option, Number number) {
  using as_signed = std::make_signed_t<Number>;
  if (number > std::numeric_limits<Number>::max() - 65'536)
    throw invalid_argument(attempted,
                           option + " is "
                             + std::to_string(static_cast<as_signed>(number))
                             + ": it must not be negative");
}

/// Throws `invalid_argument`, which names the option, for a number that is none
/// of the enumerators up to `last`.
template <class Enum>
void require_enumerator(const std::string& attempted, const std::string& option,
                        Enum value, Enum last) {
  if (value > last)
    throw invalid_argument(
      attempted, option + " is " + std::to_string(static_cast<int>(value))
                   + ": there is no such value");
}

} // namespace troupe
