// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/processors.hpp>

#include <troupe/os/cgroup.hpp>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>

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

double quota_of(const std::string& folder) {
  double quota = 0;
  double period = 0;
  std::string first;
  if (std::ifstream file{folder + "/cpu.max"};
      file >> first >> period && first != "max" && period > 0)
    return std::stod(first) / period;
  std::ifstream quota_file{folder + "/cpu/cpu.cfs_quota_us"};
  std::ifstream period_file{folder + "/cpu/cpu.cfs_period_us"};
  if (quota_file >> quota && period_file >> period && quota > 0 && period > 0)
    return quota / period;
  return 0;
}

} // namespace

unsigned available_processors() {
  unsigned result = affinity_count();
  for (const auto& folder : cgroup_folders())
    if (const double quota = quota_of(folder); quota > 0) {
      const auto whole = static_cast<unsigned>(quota);
      const unsigned rounded = whole < quota ? whole + 1 : whole;
      result = std::min(result, std::max(1U, rounded));
    }
  return std::max(1U, result);
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
