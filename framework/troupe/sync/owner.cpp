// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/owner.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/process_id.hpp>

namespace troupe::sync {

std::uint64_t owner::find_out() {
  const auto self = memory::run_memory::current().self();
  return owner{self.index, static_cast<std::uint64_t>(os::this_thread_id()),
               false}
    .bits();
}

} // namespace troupe::sync
