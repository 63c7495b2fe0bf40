// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/participant.hpp>

#include <troupe/memory/run_memory.hpp>

namespace troupe {

std::string participant::description() const {
  return memory::description_of(process_name, pid)
         + (is_actor ? ", actor " : ", thread ") + std::to_string(thread);
}

namespace sync {

participant participant_of(owner who) {
  participant result;
  if (!who)
    return result;
  auto& memory = memory::run_memory::current();
  const auto row = who.row();
  if (row >= memory.header().slots)
    return result;
  auto& slot = memory.slot(row);
  result.process
    = process_view{{row, slot.generation.load(std::memory_order_acquire)}};
  result.process_name = result.process.name();
  result.pid = slot.pid.load(std::memory_order_relaxed);
  result.thread = who.thread();
  result.is_actor = who.is_actor();
  return result;
}

} // namespace sync

} // namespace troupe
