// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

namespace troupe::codec {

/// Returns the name of `T` as the compiler writes it, for error texts and logs.
template <class T>
[[nodiscard]] constexpr std::string_view type_name() noexcept {
  // "... [with T = NAME; std::string_view = ...]" or "... [T = NAME]"
  constexpr std::string_view whole = __PRETTY_FUNCTION__;
  constexpr auto start = whole.find("T = ") + 4;
  constexpr auto semicolon = whole.find("; std::string_view = ", start);
  constexpr auto end = semicolon != std::string_view::npos ? semicolon
                                                           : whole.rfind(']');
  return whole.substr(start, end - start);
}

} // namespace troupe::codec
