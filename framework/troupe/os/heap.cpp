// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/heap.hpp>

#include <cstdint>
#include <cstdlib>
#include <features.h>
#include <initializer_list>
#ifdef __GLIBC__
#  include <malloc.h>
#endif

#include <sys/mman.h>
#include <unistd.h>

namespace troupe::os {

void keep_freed_memory() noexcept {
#ifdef __GLIBC__
  constexpr const char* settings[] = {"MALLOC_TRIM_THRESHOLD_",
                                      "MALLOC_MMAP_THRESHOLD_",
                                      "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"};
  for (const auto* setting : settings)
    if (std::getenv(setting) != nullptr)
      return;
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TOP_PAD, 1 << 20);
#endif
}

void prefer_huge_pages() noexcept {
  constexpr std::uintptr_t page = 2 << 20;
  // A small heap would only grow by it.
  constexpr std::uintptr_t large = 8 << 20;
  static std::uintptr_t begin = 0;
  static std::uintptr_t known = 0;
  const auto end = reinterpret_cast<std::uintptr_t>(::sbrk(0));
  if (begin == 0) {
    begin = (end + page - 1) & ~(page - 1);
    known = begin;
#ifdef __GLIBC__
    // In larger steps, so that there is something to advise about.
    ::mallopt(M_TOP_PAD, 16 * page);
#endif
  }
  const auto whole = end & ~(page - 1);
  if (end < begin + large || whole <= known)
    return;
  // Best effort: without it the heap is as it would have been.
  static_cast<void>(
    ::madvise(reinterpret_cast<void*>(known), whole - known, MADV_HUGEPAGE));
  known = whole;
}

} // namespace troupe::os
