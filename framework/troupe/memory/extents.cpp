// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/extents.hpp>

#include <troupe/os/crash_point.hpp>
#include <troupe/os/memory_file.hpp>

#include <algorithm>
#include <atomic>

namespace troupe::memory::extents {

namespace {

/// Words that `take` looks at before it takes granules that were never used.
constexpr std::uint32_t words_looked_at = 4096;

region& region_of(std::uint32_t number) noexcept {
  return run_memory::current().header().regions[number];
}

// acq_rel by who takes a granule, release by who frees it; relaxed looks are
// hints.
std::atomic<std::uint32_t>* words_of(const region& in) noexcept {
  return reinterpret_cast<std::atomic<std::uint32_t>*>(
    run_memory::current().at(in.words));
}

/// Takes the granules of `attempt`, or none. On failure returns the number of
/// the one that is another's, else the number behind the last.
std::uint32_t take_row(const extent& attempt, std::uint32_t owner) noexcept {
  auto* words = words_of(region_of(attempt.region));
  const auto end = attempt.first + attempt.count;
  for (auto at = attempt.first; at != end; ++at) {
    std::uint32_t nobody = 0;
    // acquire: pairs with the release in `free`, after the hole was made.
    if (words[at].compare_exchange_strong(nobody, owner,
                                          std::memory_order_acq_rel)) {
      if (at == attempt.first)
        TROUPE_CRASH_POINT("memory.extent.first");
      continue;
    }
    free({attempt.region, attempt.first, at - attempt.first}, owner);
    return at;
  }
  return end;
}

} // namespace

extent needed_for(std::uint64_t bytes) noexcept {
  const auto& header = run_memory::current().header();
  const auto number = bytes <= most_small_extent ? small_region : large_region;
  const auto granule = header.regions[number].granule;
  const auto count = (bytes + granule - 1) / granule;
  // More than there are is refused by `take`.
  return {number, 0,
          static_cast<std::uint32_t>(std::min<std::uint64_t>(count, ~0U))};
}

offset place_of(const extent& where) noexcept {
  const auto& in = region_of(where.region);
  return in.begin + where.first * in.granule;
}

extent extent_of(const object_head* head) noexcept {
  const auto place = head->payload.load(std::memory_order_relaxed);
  const auto count = head->granules.load(std::memory_order_relaxed);
  const auto& regions = run_memory::current().header().regions;
  const auto number = place >= regions[large_region].begin ? large_region
                                                           : small_region;
  const auto& in = regions[number];
  return {number, static_cast<std::uint32_t>((place - in.begin) / in.granule),
          count};
}

std::uint64_t bytes_of(const extent& which) noexcept {
  return which.count * region_of(which.region).granule;
}

bool take(cursors& from, extent wanted, std::uint32_t owner,
          void (*note)(void* context, const extent& attempt),
          void* context) noexcept {
  auto& in = region_of(wanted.region);
  auto* words = words_of(in);
  const auto count = wanted.count;
  if (count == 0 || count > in.count)
    return false;
  auto& cursor = from[wanted.region];
  const auto attempt = [&](std::uint32_t first) {
    const extent here{wanted.region, first, count};
    note(context, here);
    TROUPE_CRASH_POINT("memory.extent.noted");
    const auto reached = take_row(here, owner);
    if (reached == first + count) {
      TROUPE_CRASH_POINT("memory.extent.taken");
      cursor = reached;
    }
    return reached;
  };
  // Looks at most `most` words of what was used before, from the cursor on and
  // once round.
  const auto look_through = [&](std::uint32_t most) {
    const auto high = in.high.load(std::memory_order_acquire);
    if (high < count)
      return false;
    auto at = cursor;
    for (std::uint32_t looked = 0; looked < std::min(most, high);) {
      if (at + count > high) {
        looked += high - std::min(at, high) + 1;
        at = 0;
        continue;
      }
      // The last that is not free decides where to go on.
      auto end = at + count;
      while (end != at && words[end - 1].load(std::memory_order_relaxed) == 0)
        --end;
      looked += at + count - end + 1;
      if (end == at) {
        end = attempt(at);
        if (end == at + count)
          return true;
        ++end;
      }
      at = end;
    }
    return false;
  };
  if (look_through(words_looked_at))
    return true;
  for (auto high = in.high.load(); high <= in.count - count;) {
    if (!in.high.compare_exchange_weak(high, high + count))
      continue;
    if (attempt(high) == high + count)
      return true;
    high = in.high.load();
  }
  cursor = 0;
  return look_through(in.count) || look_through(in.count);
}

void punch(const extent& which) noexcept {
  os::punch_hole(run_memory::current().file(), place_of(which),
                 bytes_of(which));
}

void free(const extent& which, std::uint32_t owner) noexcept {
  auto* words = words_of(region_of(which.region));
  // Backwards, so that what was taken last is free first: whoever looks for a
  // row from the front meets a word that is not free.
  for (auto at = which.first + which.count; at != which.first;) {
    auto expected = owner;
    // release: pairs with the acquire in `take_row`.
    words[--at].compare_exchange_strong(expected, 0, std::memory_order_release,
                                        std::memory_order_relaxed);
    TROUPE_CRASH_POINT("memory.extent.freed");
  }
}

} // namespace troupe::memory::extents
