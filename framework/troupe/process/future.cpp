// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/future.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/process/table.hpp>

namespace troupe::hosting {

void require_own_future() {
  require_own_slot("get the result of a process");
}

void require_success(const process_view& of) {
  const auto pid = of.pid();
  auto status = of.join();
  // From here on the exception is told: see process::end.
  if (auto* slot = memory::run_memory::current().find(of.id()))
    slot->awaited.store(memory::process_slot::not_awaited);
  if (!status.success())
    raise(remote_error{of.name(), pid, std::move(status)});
}

codec::parcel take_result(const process_view& of) {
  require_success(of);
  auto* slot = memory::run_memory::current().find(of.id());
  const auto where = slot != nullptr ? slot->result.load() : 0;
  // It left through exit(0) or _exit(0): no failure, and no result either.
  if (where == 0)
    raise(remote_error{of.name(), of.pid(), of.join()});
  auto result = codec::parcel::open(where);
  memory::forget_at(slot->result);
  return result;
}

} // namespace troupe::hosting
