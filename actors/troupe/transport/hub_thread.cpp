// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/hub_thread.hpp>

namespace troupe::transport {

hub_thread::hub_thread(caf::actor_system& system, std::uint64_t number)
  : version::own_context(system), system_(system), number_(number) {
}

void hub_thread::later(caf::resumable* woken) {
  {
    const guard held{locked_};
    if (!retired_.load(std::memory_order_relaxed)) {
      jobs_.push_back(woken);
      waiting_.store(jobs_.size(), std::memory_order_relaxed);
      return;
    }
  }
  version::schedule(system_, woken);
}

caf::resumable* hub_thread::next() {
  if (idle())
    return nullptr;
  const guard held{locked_};
  if (jobs_.empty())
    return nullptr;
  auto* job = jobs_.front();
  jobs_.pop_front();
  waiting_.store(jobs_.size(), std::memory_order_relaxed);
  return job;
}

std::deque<caf::resumable*> hub_thread::take_all() {
  const guard held{locked_};
  std::deque<caf::resumable*> taken;
  taken.swap(jobs_);
  waiting_.store(0, std::memory_order_relaxed);
  return taken;
}

} // namespace troupe::transport
