// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/slot_text.hpp>

#include <atomic>
#include <cstdint>

namespace troupe::memory {

/// A place in the program where objects are made, or a name that one was given:
/// what a look at the run shows beside an object. Each text stands once in the
/// run's memory, and an object's head has its number.
///
///     0    hash   of the text, never 0; 0: free
///     8    text
///     128
///
/// # What a crash leaves
/// An entry without its text, which is written by the next who needs it.
struct origin {
  /// So many texts a run has room for; objects of further ones have none.
  static constexpr std::uint32_t count = 4096;

  // Taken by a relaxed exchange in `number_of_text`. Two that come at once both
  // write the same text; who reads it only shows it.
  std::atomic<std::uint64_t> hash;
  slot_text<120> text;
};

static_assert(sizeof(origin) == 128);

} // namespace troupe::memory
