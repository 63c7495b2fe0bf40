// SPDX-License-Identifier: BSL-1.0

// Of a supervisor: what the core says, done to actors and processes.

#include <troupe/pool/supervisor_loop.hpp>

#include <troupe/base/error.hpp>
#include <troupe/calls/failure.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/runtime/names.hpp>
#include <troupe/transport/node_name.hpp>

#include <caf/actor_cast.hpp>
#include <caf/after.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>

namespace troupe::supervision {

namespace {

/// How long a receive may wait: never for no time at all, nor for ever.
caf::timespan left_of(deadline limit) {
  return std::clamp<caf::timespan>(limit.left(), caf::timespan{1},
                                   std::chrono::hours{24});
}

/// The process of the actor, if that is another than this one.
std::optional<process_view> process_of_actor(const caf::actor& actor) {
  const auto node = caf::actor_cast<caf::strong_actor_ptr>(actor)->nid;
  const auto where = transport::process_of(node);
  if (!where || *where == memory::run_memory::current().self())
    return std::nullopt;
  return process_view{*where};
}

} // namespace

/// Does what was begun, to its end. Meanwhile requests stay where they are.
void supervisor_loop::settle() {
  for (;;)
    if (const auto what = core_.next(clock::now()))
      carry_out(*what);
    else if (const auto event = core_.awaits())
      await(*event);
    else
      return;
}

void supervisor_loop::carry_out(const step& what) {
  switch (what.what) {
    case step::kind::start: return begin_start(what);
    case step::kind::give_up_start: return pending_->give_up();
    case step::kind::abandon_start: return abandon_start(of(what.child));
    case step::kind::end: return tell_to_end(of(what.child));
    case step::kind::kill: return kill(of(what.child));
    case step::kind::kill_leftover:
      if (const auto process = process_of(what.start))
        static_cast<void>(hosting::try_signal(*process, SIGKILL));
      return;
    case step::kind::forget: return drop(what.child);
    case step::kind::report: return report(what.report);
    case step::kind::give_up: over_ = true; return;
  }
}

void supervisor_loop::await(const awaited& what) {
  switch (what.what) {
    case awaited::kind::start: return await_start(what);
    case awaited::kind::process: return await_process(what);
    case awaited::kind::end:
      // Deaths of others are told as well; the core keeps them.
      self_->receive([this](caf::down_msg& down) { ended(down); },
                     caf::after(left_of(what.until)) >> [] {});
      return;
  }
}

// Starts ----------------------------------------------------------------------

/// Calls the specification's start in a thread of its own, so that a start that
/// hangs keeps the supervisor neither for ever nor from being ended.
void supervisor_loop::begin_start(const step& what) {
  auto& one = of(what.child);
  one.start = what.start;
  one.process = std::nullopt;
  one.ending = {};
  try {
    pending_ = pending_start::begin(one.make, what.start, self_);
  } catch (...) {
    start_failed(one, std::current_exception());
  }
}

void supervisor_loop::await_start(const awaited& what) {
  if (!pending_->done())
    self_->receive([](caf::ok_atom, std::uint64_t) {},
                   [this](caf::exit_msg&) {
                     over_ = true;
                     core_.give_up_start(clock::now());
                   },
                   caf::after(left_of(what.until)) >> [] {});
  else if (pending_->given_up())
    abandon_start(of(what.child));
  else
    finish_start(of(what.child), *std::exchange(pending_, nullptr));
}

void supervisor_loop::finish_start(member& one, pending_start& work) {
  try {
    one.actor = work.take();
  } catch (...) {
    return start_failed(one, std::current_exception());
  }
  const auto where = process_of_actor(one.actor);
  const auto own = work.process();
  one.pid = where ? where->pid() : 0;
  one.process = own ? own : where;
  auto follows = where ? child_process::shared : child_process::none;
  if (own)
    follows = child_process::own;
  self_->monitor(one.actor);
  try {
    register_name(one);
    core_.started(one.number, follows);
  } catch (...) {
    failure_ = std::current_exception();
    core_.started_in_vain(one.number, follows,
                          calls::failure::of(failure_).full_text());
  }
}

void supervisor_loop::abandon_start(member& one) {
  std::exchange(pending_, nullptr)->abandon();
  const auto attempted = "start child '" + core_.name_of(one.number) + "'";
  start_failed(one,
               over_
                 ? std::make_exception_ptr(
                     cancelled(attempted, "its supervisor was told to end"))
                 : std::make_exception_ptr(timed_out(
                     attempted, "it was not there within its start_limit")));
}

void supervisor_loop::start_failed(const member& one, std::exception_ptr why) {
  failure_ = std::move(why);
  core_.start_failed(one.number, calls::failure::of(failure_).full_text());
}

void supervisor_loop::register_name(member& one) {
  const auto& name = one.name;
  if (name.empty())
    return;
  // The end of the one before is known here; the table may learn of it later.
  if (one.named && names::find(name) == one.named)
    names::erase(name);
  names::set(name, one.actor);
  one.named = one.actor;
}

// Ends ------------------------------------------------------------------------

void supervisor_loop::tell_to_end(member& one) {
  if (!one.actor)
    return;
  one.ending = std::exchange(one.actor, {});
  caf::anon_send_exit(one.ending, caf::exit_reason::user_shutdown);
}

/// Kills the process that a child lives in, others who live there included; an
/// actor of this process is told to end at once.
void supervisor_loop::kill(member& one) {
  if (one.actor)
    one.ending = std::exchange(one.actor, {});
  if (one.process)
    static_cast<void>(hosting::try_signal(*one.process, SIGKILL));
  if (one.ending && one.ending.node() == self_->node())
    caf::anon_send_exit(one.ending, caf::exit_reason::kill);
}

void supervisor_loop::await_process(const awaited& what) {
  const auto process = process_of(what.start);
  if (!process || process->join_before(what.until))
    core_.process_gone(what.start);
}

std::optional<process_view> supervisor_loop::process_of(start_number start) {
  for (const auto& each : members_)
    if (each.start == start && each.process)
      return each.process;
  for (const auto& each : leftovers_)
    if (each.start == start)
      return each.process;
  return std::nullopt;
}

} // namespace troupe::supervision
