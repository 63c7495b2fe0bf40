// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>

#include <cstdint>

namespace troupe::inspection {

/// How this program lays out objects of that kind, for those that a look reads;
/// else 0. The same number as its kind is registered with.
[[nodiscard]] std::uint32_t layout_of_kind(memory::object_kind kind) noexcept;

} // namespace troupe::inspection
