// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>

namespace troupe {

/// What a constructor in another process is given for an argument of type `T`:
/// a copy, of a literal as a string.
template <class T>
using stored
  = std::conditional_t<std::is_convertible_v<T, const char*>
                         && !std::is_same_v<std::decay_t<T>, std::nullptr_t>,
                       std::string, std::decay_t<T>>;

} // namespace troupe
