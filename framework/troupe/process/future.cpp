// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/future.hpp>

#include <troupe/memory/run_memory.hpp>

namespace troupe::hosting {

void require_success(const process_view& of) {
  const auto pid = of.pid();
  auto status = of.join();
  if (!status.success())
    throw remote_error(of.name(), pid, std::move(status));
}

codec::parcel take_result(const process_view& of) {
  require_success(of);
  auto* slot = memory::run_memory::current().find(of.id());
  const auto where = slot != nullptr ? slot->result.exchange(0) : 0;
  // It left through exit(0) or _exit(0): no failure, and no result either.
  if (where == 0)
    throw remote_error(of.name(), of.pid(), of.join());
  return codec::parcel::open(where);
}

} // namespace troupe::hosting
