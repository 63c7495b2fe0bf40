// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/heap.hpp>

#include <cstdlib>
#include <features.h>
#include <initializer_list>
#ifdef __GLIBC__
#  include <malloc.h>
#endif

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

} // namespace troupe::os
