// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/service_actor.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/sec.hpp>

#include <atomic>
#include <mutex>
#include <set>

namespace troupe::runtime {

namespace {

/// Which services may end. Never destroyed: actors end during exit.
class ends {
public:
  static ends& of_this_process() {
    static auto& only = *new ends;
    return only;
  }

  void allow(caf::actor_id service) {
    const std::scoped_lock guard{mutex_};
    allowed_.insert(service);
  }

  void allow_all() noexcept {
    all_.store(true, std::memory_order_relaxed);
  }

  /// An actor ends once: what was allowed is used up.
  [[nodiscard]] bool take(caf::actor_id service) {
    if (all_.load(std::memory_order_relaxed))
      return true;
    const std::scoped_lock guard{mutex_};
    return allowed_.erase(service) != 0;
  }

private:
  std::mutex mutex_;
  std::set<caf::actor_id> allowed_;
  // relaxed: it becomes true once, and guards no other data.
  std::atomic<bool> all_{false};
};

} // namespace

void let_end(caf::actor_id service) {
  ends::of_this_process().allow(service);
}

void let_all_end() noexcept {
  ends::of_this_process().allow_all();
}

bool may_end(caf::actor_id service) {
  return ends::of_this_process().take(service);
}

const caf::exit_msg* exit_in(const caf::mailbox_element& what) noexcept {
  return what.payload.match_elements<caf::exit_msg>()
           ? &what.payload.get_as<caf::exit_msg>(0)
           : nullptr;
}

bool refuse_error(const caf::mailbox_element& what) {
  if (what.mid.is_response() || !what.payload.match_elements<caf::error>())
    return false;
  if (what.mid.is_request() && what.sender)
    what.sender->enqueue(
      transport::version::make_element(
        nullptr, what.mid.response_id(), {},
        caf::make_message(caf::make_error(caf::sec::unexpected_message))),
      nullptr);
  return true;
}

} // namespace troupe::runtime
