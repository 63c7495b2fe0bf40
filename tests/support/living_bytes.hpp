// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/warm_memory.hpp>

#include <cstdint>

namespace troupe::test {

/// Returns the bytes that living objects of the run reserve, after what is kept
/// for the next objects has been given back.
inline std::uint64_t living_bytes() {
  memory::warm_memory::give_back_all();
  return memory::run_memory::current().reserved_bytes();
}

} // namespace troupe::test
