// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/heap.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <features.h>
#include <iterator>
#ifdef __GLIBC__
#  include <malloc.h>
#endif

#include <sys/mman.h>
#include <unistd.h>

namespace troupe::os {

namespace {

constexpr std::uintptr_t small_page = 4096;

#ifdef __GLIBC__
bool is_set_by_user() noexcept {
  constexpr const char* settings[] = {"MALLOC_TRIM_THRESHOLD_",
                                      "MALLOC_MMAP_THRESHOLD_",
                                      "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"};
  return std::any_of(std::begin(settings), std::end(settings),
                     [](const char* setting) {
                       return std::getenv(setting) != nullptr;
                     });
}
#endif

std::uintptr_t end_of_heap() noexcept {
  return reinterpret_cast<std::uintptr_t>(::sbrk(0));
}

} // namespace

void keep_freed_memory() noexcept {
#ifdef __GLIBC__
  if (is_set_by_user())
    return;
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TOP_PAD, 1 << 20);
#endif
}

void prefer_large_pages(void* allocated, std::size_t size) noexcept {
  // Outward, so that one block stays one mapping; the C library's few bytes
  // before it lie in the same page.
  const auto start = reinterpret_cast<std::uintptr_t>(allocated);
  const auto first = start & ~(small_page - 1);
  const auto last = (start + size + small_page - 1) & ~(small_page - 1);
  static_cast<void>(
    ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE));
}

namespace {

std::uintptr_t end_of_heap_before = 0;

} // namespace

void keep_large_blocks() noexcept {
#ifdef __GLIBC__
  if (is_set_by_user())
    return;
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
  // Older libraries take no more than 32 MiB and keep what they have.
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 128 << 20);
  end_of_heap_before = end_of_heap();
#endif
}

bool keeps_large_blocks() noexcept {
  return end_of_heap_before != 0
         && end_of_heap() > end_of_heap_before + worth_large_pages;
}

void give_freed_memory_back() noexcept {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

} // namespace troupe::os
