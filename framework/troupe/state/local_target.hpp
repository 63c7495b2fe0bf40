// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/state/target.hpp>

#include <cstdint>
#include <memory>

namespace troupe::held {

/// Reads what `target::save_as_handle` wrote, in any process of the run; in the
/// state's own it becomes a target of the object itself.
/// Throws `malformed_bytes`, `stale_handle`.
[[nodiscard]] std::shared_ptr<target> load_handle(codec::decoder& from);

/// The hash of the object's type, where that is known here; otherwise 0.
[[nodiscard]] std::uint64_t known_type(const target& object);

} // namespace troupe::held
