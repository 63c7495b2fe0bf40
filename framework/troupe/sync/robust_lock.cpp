// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/robust_lock.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/tuning.hpp>

namespace troupe::sync {

namespace {

constexpr std::uint32_t by_pid = 1U << 22;
constexpr std::uint32_t sleepers = 1U << 30;
constexpr std::uint32_t death = 1U << 31;
constexpr std::uint32_t name_mask = (by_pid << 1) - 1;

std::uint32_t name_of(std::uint32_t row) noexcept {
  auto& memory = memory::run_memory::current();
  if (row != memory.header().slots)
    return row + 1;
  return by_pid | static_cast<std::uint32_t>(os::this_pid());
}

/// A fork server was inside, and it is not the calling process.
bool is_dead_server(std::uint32_t name, std::uint32_t own_name) noexcept {
  return (name & by_pid) != 0 && name != own_name
         && !os::is_running({static_cast<std::int32_t>(name & ~by_pid), 0});
}

} // namespace

void robust_lock::lock(std::uint32_t row) noexcept {
  const auto name = row + 1;
  std::uint32_t expected = 0;
  // acquire: pairs with the release of who left before.
  if (!word_.compare_exchange_strong(expected, name, std::memory_order_acquire,
                                     std::memory_order_relaxed))
    lock_slowly(name);
  TROUPE_CRASH_POINT("sync.robust_lock.locked");
}

void robust_lock::lock_slowly(std::uint32_t name) noexcept {
  auto seen = word_.load(std::memory_order_relaxed);
  const auto entered = [&] {
    seen = word_.load(std::memory_order_relaxed);
    return (seen & name_mask) == 0
           && word_.compare_exchange_strong(seen, name | (seen & sleepers),
                                            std::memory_order_acquire,
                                            std::memory_order_relaxed);
  };
  if (os::spin(tuning::robust_lock, entered))
    return;
  for (;;) {
    if ((seen & name_mask) == 0) {
      // There may be other sleepers, of whom the one that left did not know.
      if (word_.compare_exchange_weak(seen, name | sleepers,
                                      std::memory_order_acquire,
                                      std::memory_order_relaxed))
        return;
      continue;
    }
    if ((seen & sleepers) == 0
        && !word_.compare_exchange_weak(seen, seen | sleepers,
                                        std::memory_order_relaxed))
      continue;
    static_cast<void>(os::wait(word_, seen | sleepers, deadline::never()));
    seen = word_.load(std::memory_order_relaxed);
  }
}

/// Frees the robust lock unless there is news. `seen`: the word before.
bool robust_lock::try_free(std::uint32_t& seen) noexcept {
  seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    if ((seen & death) != 0) {
      // acquire: the mark of who died was set before the news.
      word_.fetch_and(~death, std::memory_order_acquire);
      return false;
    }
    // release: what was done inside comes before the robust lock is free.
    if (word_.compare_exchange_weak(seen, 0, std::memory_order_release,
                                    std::memory_order_relaxed))
      return true;
  }
}

bool robust_lock::try_unlock() noexcept {
  std::uint32_t seen = 0;
  if (!try_free(seen))
    return false;
  TROUPE_CRASH_POINT("sync.robust_lock.unlocked");
  if ((seen & sleepers) != 0)
    os::wake(word_, 1);
  return true;
}

bool robust_lock::try_lock_after_death(std::uint32_t dead_row,
                                       std::uint32_t own_row) noexcept {
  const auto own = name_of(own_row);
  auto seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    const auto inside = seen & name_mask;
    const bool free = inside == 0 || inside == dead_row + 1
                      || is_dead_server(inside, own);
    const auto wanted = free ? (seen & ~name_mask & ~death) | own
                             : seen | death;
    if (word_.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel,
                                    std::memory_order_relaxed))
      return free;
  }
}

bool robust_lock::try_unlock_after_death() noexcept {
  std::uint32_t seen = 0;
  if (!try_free(seen))
    return false;
  os::wake_all(word_);
  return true;
}

} // namespace troupe::sync
