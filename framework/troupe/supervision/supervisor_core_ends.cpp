// SPDX-License-Identifier: BSL-1.0

// Of the supervisor core: how children end, each with its process.

#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/supervision/time_limits.hpp>

#include <algorithm>
#include <utility>

namespace troupe::supervision {

// What has happened -----------------------------------------------------------

void supervisor_core::ended(child_number which, child_end how,
                            clock::time_point now) {
  auto* one = look_up(which);
  if (one == nullptr)
    return;
  if (one->phase == child_phase::running) {
    set_phase(*one, child_phase::dead);
    dead_.push_back({which, std::move(how)});
  } else if (one->phase == child_phase::ending && !one->down) {
    is_down(*one, now);
  }
}

void supervisor_core::stays_ended(child_number which, clock::time_point now) {
  ended(which, {}, now);
  auto* one = look_up(which);
  if (one == nullptr || one->phase != child_phase::dead)
    return;
  drop_death(*one);
  leave_process(*one, now);
  set_phase(*one, child_phase::ended);
}

void supervisor_core::process_gone(start_number of) {
  std::erase_if(leftovers_,
                [&](const leftover& each) { return each.start == of; });
  const auto one = std::ranges::find_if(children_, [&](
                                                     const child_state& each) {
    return each.start == of && each.phase == child_phase::ending && each.down;
  });
  if (one != children_.end())
    finish_end(*one);
}

// Limits ----------------------------------------------------------------------

/// Returns whether one has passed.
bool supervisor_core::look_at_limits(clock::time_point now) {
  if (timed_ == 0)
    return false;
  const auto late
    = std::ranges::find_if(children_, [&](const child_state& each) {
        return each.phase != child_phase::failed && passed(each.until, now);
      });
  if (late == children_.end())
    return false;
  limit_passed(*late, now);
  return true;
}

void supervisor_core::limit_passed(child_state& one, clock::time_point now) {
  if (one.phase == child_phase::starting) {
    if (!one.given_up)
      return give_up_start(one, now);
    set_limit(one, deadline::never());
    push(step::kind::abandon_start, one);
  } else if (!one.killed) {
    kill(one, now);
  } else if (!one.down) {
    // What cannot be killed is left. Its process is another matter.
    is_down(one, now);
  } else {
    finish_end(one);
  }
}

/// The process of a child that has ended by itself is on its way out. Nobody
/// waits for it until all are ended, but for ever it may not take.
bool supervisor_core::look_at_leftovers(clock::time_point now) {
  const auto late = std::ranges::find_if(leftovers_, [&](const leftover& each) {
    return passed(each.until, now);
  });
  if (late == leftovers_.end())
    return false;
  if (!late->killed) {
    step what;
    what.what = step::kind::kill_leftover;
    what.start = late->start;
    out_.push_back(std::move(what));
  }
  if (ends_all_ && !std::exchange(late->killed, true))
    late->until = after(now, default_time_limit);
  else
    leftovers_.erase(late);
  return true;
}

void supervisor_core::leave_process(const child_state& one,
                                    clock::time_point now) {
  if (one.process == child_process::own)
    leftovers_.push_back(
      {one.start,
       after(now, one.policy.shutdown.limit().value_or(default_time_limit))});
}

// Ends ------------------------------------------------------------------------

void supervisor_core::begin_end(child_state& one, clock::time_point now) {
  const auto before = one.phase;
  if (before != child_phase::running && before != child_phase::dead
      && before != child_phase::ending)
    return finish_end(one);
  drop_death(one);
  set_phase(one, child_phase::ending);
  one.down = before == child_phase::dead;
  one.killed = false;
  const auto limit = one.policy.shutdown.limit();
  if (limit && limit->count() == 0)
    return kill(one, now);
  if (limit)
    set_limit(one, after(now, *limit));
  if (one.down)
    is_down(one, now);
  else
    push(step::kind::end, one);
}

void supervisor_core::kill(child_state& one, clock::time_point now) {
  one.killed = true;
  set_limit(one, after(now, default_time_limit));
  push(step::kind::kill, one);
  if (one.down)
    is_down(one, now);
}

/// The child is gone. Whether it is done depends on its process.
void supervisor_core::is_down(child_state& one, clock::time_point now) {
  one.down = true;
  const bool process_follows = one.process == child_process::own
                               || (one.process == child_process::shared
                                   && one.killed);
  if (!process_follows)
    return finish_end(one);
  // For ever is for the child; a process without it has nothing left to do.
  if (one.killed || one.until.is_never())
    set_limit(one, after(now, default_time_limit));
}

void supervisor_core::finish_end(child_state& one) {
  set_phase(one, child_phase::ended);
  done_with(one);
  if (const auto refusal = std::exchange(one.refusal, std::nullopt);
      refusal && !ends_all_) {
    one.phase = child_phase::starting;
    start_failed(one.number, *refusal);
  } else if (one.policy.restart == restart::temporary && !ends_all_) {
    forget(one);
  }
}

} // namespace troupe::supervision
