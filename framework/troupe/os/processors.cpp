// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/processors.hpp>

#include <troupe/os/cgroup.hpp>

#include <algorithm>
#include <cmath>
#include <memory>

#include <sched.h>
#include <unistd.h>

namespace troupe::os {

namespace {

/// The processors that the calling thread may use.
struct affinity {
  std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask{
    nullptr, [](cpu_set_t* set) { CPU_FREE(set); }};
  std::size_t size = 0;

  affinity() noexcept {
    // A machine may have more processors than cpu_set_t has bits.
    for (int bits = 1024; bits <= 1 << 20; bits *= 2) {
      size = CPU_ALLOC_SIZE(bits);
      mask.reset(CPU_ALLOC(bits));
      if (mask && ::sched_getaffinity(0, size, mask.get()) == 0)
        return;
    }
    mask.reset();
  }
};

unsigned affinity_count() {
  if (const affinity own; own.mask)
    return static_cast<unsigned>(CPU_COUNT_S(own.size, own.mask.get()));
  return static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

} // namespace

unsigned available_processors() {
  unsigned result = affinity_count();
  if (const double quota = read_cgroup_limits().processors; quota > 0) {
    const double rounded = std::ceil(std::min(quota, 1e6));
    result = std::min(result, static_cast<unsigned>(rounded));
  }
  return std::max(1U, result);
}

bool has_one_processor() {
  static const bool one = available_processors() == 1;
  return one;
}

unsigned current_processor() noexcept {
  const int number = ::sched_getcpu();
  return number < 0 ? 0 : static_cast<unsigned>(number);
}

bool change_processor() noexcept {
  const affinity own;
  const auto here = current_processor();
  if (!own.mask || CPU_COUNT_S(own.size, own.mask.get()) < 2
      || CPU_ISSET_S(here, own.size, own.mask.get()) == 0)
    return false;
  CPU_CLR_S(here, own.size, own.mask.get());
  const bool moved = ::sched_setaffinity(0, own.size, own.mask.get()) == 0;
  CPU_SET_S(here, own.size, own.mask.get());
  static_cast<void>(::sched_setaffinity(0, own.size, own.mask.get()));
  return moved;
}

} // namespace troupe::os
