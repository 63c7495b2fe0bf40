// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/process_id.hpp>

#include <atomic>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace troupe::os {

namespace {

// All accesses are relaxed: each thread may ask the kernel again, and stores
// the same.
using kept_pid = std::atomic<std::int32_t>;

/// Where the number of this process is kept: on a page that the kernel empties
/// in each forked child, by whatever call it was forked. nullptr where the
/// kernel does not know such pages.
kept_pid* make_place() noexcept {
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return nullptr;
  if (::madvise(page, size, MADV_WIPEONFORK) == 0)
    return new (page) kept_pid{0};
  ::munmap(page, size);
  return nullptr;
}

std::int32_t ask_for_pid(kept_pid* place) noexcept {
  const auto pid = static_cast<std::int32_t>(::getpid());
  if (place != nullptr)
    place->store(pid, std::memory_order_relaxed);
  return pid;
}

} // namespace

std::int32_t this_pid() noexcept {
  static kept_pid* const place = make_place();
  if (place == nullptr)
    return ask_for_pid(nullptr);
  // relaxed: every thread that finds it empty stores the same.
  const auto pid = place->load(std::memory_order_relaxed);
  return pid != 0 ? pid : ask_for_pid(place);
}

} // namespace troupe::os
