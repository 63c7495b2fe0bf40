// SPDX-License-Identifier: BSL-1.0

// What a supervisor says of its children.

#include <troupe/calls/failure.hpp>
#include <troupe/pool/supervisor_loop.hpp>
#include <troupe/supervision/report_line.hpp>
#include <troupe/transport/caf_version.hpp>

#include <cstdio>
#include <string>

namespace troupe::supervision {

namespace {

/// The supervisor whose hook this thread is in.
thread_local caf::actor_id calling_hook_of = caf::invalid_actor_id;

struct hook_scope {
  explicit hook_scope(caf::actor_id of) noexcept {
    calling_hook_of = of;
  }
  hook_scope(const hook_scope&) = delete;
  hook_scope& operator=(const hook_scope&) = delete;
  ~hook_scope() {
    calling_hook_of = caf::invalid_actor_id;
  }
};

} // namespace

bool calls_hook_of(caf::actor_id supervisor) noexcept {
  return calling_hook_of == supervisor;
}

bool calls_hook() noexcept {
  return calling_hook_of != caf::invalid_actor_id;
}

void supervisor_loop::report(const restart_report& what) const {
  try {
    const hook_scope calling{self_->id()};
    if (options_.report)
      options_.report(what);
    else
      print(what,
            {"child", "ended",
             "restart " + std::to_string(what.restarts) + " within the period",
             "one restart too many, its supervisor gives up"});
  } catch (...) {
    std::fprintf(stderr, "troupe: the report on child '%s' failed: %s\n",
                 what.child.c_str(),
                 calls::failure::being_handled().full_text().c_str());
  }
  for (const auto& each : listeners_)
    if (each.wants)
      transport::version::send_anonymously(each.wants, what);
}

void supervisor_loop::subscribe(const caf::actor& who) {
  if (!who)
    return;
  for (auto& each : listeners_)
    if (each.who == who.address()) {
      each.wants = who;
      return;
    }
  self_->monitor(who);
  listeners_.push_back({who.address(), who});
}

std::vector<child_info> supervisor_loop::list() {
  std::vector<child_info> result;
  for (const auto& each : core_.children()) {
    const auto& what = of(each.number);
    result.push_back({each.policy.id, what.actor, what.actor ? what.pid : 0,
                      each.restarts, each.policy.supervises,
                      each.phase == child_phase::failed});
  }
  return result;
}

} // namespace troupe::supervision
