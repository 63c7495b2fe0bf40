// SPDX-License-Identifier: BSL-1.0

// Of the supervisor core: starts, and what the end of a child leads to.

#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/supervision/time_limits.hpp>

#include <algorithm>
#include <utility>

namespace troupe::supervision {

// Starts ----------------------------------------------------------------------

void supervisor_core::begin_start(child_state& one, child_state::purpose why,
                                  clock::time_point now) {
  set_phase(one, child_phase::starting);
  one.start = ++starts_;
  one.of_start = why;
  one.process = child_process::none;
  one.given_up = false;
  one.refusal.reset();
  if (one.policy.start_limit)
    set_limit(one, after(now, *one.policy.start_limit));
  push(step::kind::start, one);
}

void supervisor_core::give_up_start(clock::time_point now) {
  if (auto* one = current_ ? look_up(*current_) : nullptr;
      one != nullptr && one->phase == child_phase::starting && !one->given_up)
    give_up_start(*one, now);
}

void supervisor_core::give_up_start(child_state& one, clock::time_point now) {
  one.given_up = true;
  set_limit(one, after(now, default_time_limit));
  push(step::kind::give_up_start, one);
}

void supervisor_core::started(child_number which, child_process process) {
  auto* one = look_up(which);
  if (one == nullptr || one->phase != child_phase::starting)
    return;
  set_phase(*one, child_phase::running);
  one->process = process;
  if (one->of_start == child_state::purpose::restart)
    ++one->restarts;
  done_with(*one);
}

void supervisor_core::started_in_vain(child_number which, child_process process,
                                      const std::string& reason) {
  auto* one = look_up(which);
  if (one == nullptr || one->phase != child_phase::starting)
    return;
  set_phase(*one, child_phase::running);
  one->process = process;
  one->refusal = reason;
  done_with(*one);
  plan_.push_front({task::kind::end, which});
}

void supervisor_core::start_failed(child_number which,
                                   const std::string& reason) {
  auto* one = look_up(which);
  if (one == nullptr || one->phase != child_phase::starting)
    return;
  done_with(*one);
  // Those behind it are started with it, when that is tried again. The end of
  // all goes on.
  if (!ends_all_)
    plan_.clear();
  if (one->of_start == child_state::purpose::request) {
    set_phase(*one, child_phase::ended);
    return;
  }
  set_phase(*one, child_phase::failed);
  failed_.push_back(
    {which, {end_cause::not_made, end_notice::counted, 0, reason}});
}

// Restarts --------------------------------------------------------------------

bool supervisor_core::judge_next(clock::time_point now) {
  if (over_ || dead_.empty())
    return false;
  const auto what = std::move(dead_.front());
  dead_.pop_front();
  auto* one = look_up(what.child);
  if (one == nullptr || one->phase != child_phase::dead)
    return true;
  leave_process(*one, now);
  set_phase(*one, child_phase::ended);
  const auto policy = one->policy.restart;
  const bool in_order = what.how.cause == end_cause::by_itself;
  if (what.how.notice == end_notice::last) {
    stop_restarts();
    push(step::kind::give_up, *one);
  } else if (policy == restart::temporary) {
    forget(*one);
  } else if (!(policy == restart::transient && in_order)
             && allows(*one, what.how, now)) {
    restart_or_pause(*one, what.how.cause, now);
  }
  return true;
}

bool supervisor_core::retry_next(clock::time_point now) {
  if (over_)
    return false;
  if (!failed_.empty()) {
    const auto what = std::move(failed_.front());
    failed_.pop_front();
    // It may have been terminated, or started with others, meanwhile.
    if (auto* one = look_up(what.child); one != nullptr
                                         && one->phase == child_phase::failed
                                         && allows(*one, what.how, now))
      restart_or_pause(*one, what.how.cause, now);
    return true;
  }
  if (timed_ == 0)
    return false;
  const auto due
    = std::ranges::find_if(children_, [&](const child_state& each) {
        return each.phase == child_phase::failed && passed(each.until, now);
      });
  if (due == children_.end())
    return false;
  begin_restart(*due);
  return true;
}

/// Reports an end, and says whether a restart may follow.
bool supervisor_core::allows(const child_state& one, const child_end& how,
                             clock::time_point now) {
  if (how.notice == end_notice::none)
    return true;
  const bool allowed = how.notice != end_notice::counted
                       || limit_.note(how.cause, now);
  step said;
  said.what = step::kind::report;
  said.child = one.number;
  said.start = one.start;
  said.cause = how.cause;
  said.report = {one.policy.id, how.pid, how.reason, limit_.count(), !allowed};
  out_.push_back(said);
  if (!allowed) {
    stop_restarts();
    said.what = step::kind::give_up;
    out_.push_back(std::move(said));
  }
  return allowed;
}

void supervisor_core::restart_or_pause(child_state& one, end_cause cause,
                                       clock::time_point now) {
  if (cause != end_cause::not_made || how_.first_pause.count() == 0)
    return begin_restart(one);
  set_phase(one, child_phase::failed);
  const auto doublings = std::min<std::uint32_t>(one.failures++, 16);
  set_limit(one, after(now, std::min(how_.first_pause * (1 << doublings),
                                     how_.longest_pause)));
}

/// Restarts whom the strategy says: they are ended in reverse order first.
void supervisor_core::begin_restart(child_state& dead) {
  set_phase(dead, child_phase::ended);
  std::vector<child_number> concerned;
  for (const auto& each : children_)
    if (each.number == dead.number || how_.strategy == strategy::one_for_all
        || (how_.strategy == strategy::rest_for_one
            && each.number > dead.number))
      concerned.push_back(each.number);
  for (auto each = concerned.rbegin(); each != concerned.rend(); ++each)
    plan_.push_back({task::kind::end, *each});
  for (const auto each : concerned)
    plan_.push_back({task::kind::start, each, child_state::purpose::restart});
}

} // namespace troupe::supervision
