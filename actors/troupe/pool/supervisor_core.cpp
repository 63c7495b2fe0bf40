// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/supervisor_core.hpp>

#include <troupe/base/error.hpp>
#include <troupe/call/failure.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/pool/exception_of_request.hpp>
#include <troupe/pool/option_checks.hpp>
#include <troupe/pool/pending_start.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/runtime/names.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/node_name.hpp>

#include <caf/actor_cast.hpp>
#include <caf/after.hpp>
#include <caf/result.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <csignal>
#include <exception>

namespace troupe::supervision {

namespace {

/// After that much time what cannot be killed, or comes from nowhere, is left.
constexpr std::chrono::seconds patience{30};

constexpr caf::timespan at_once{1};
constexpr caf::timespan day{std::chrono::hours{24}};
constexpr caf::timespan look_again{std::chrono::milliseconds{20}};

/// How long a receive may wait: never for no time at all, nor for ever.
caf::timespan left_of(deadline limit) {
  return std::clamp<caf::timespan>(limit.left(), at_once, day);
}

std::optional<process_view> process_of(const caf::actor& actor) {
  const auto node = caf::actor_cast<caf::strong_actor_ptr>(actor)->nid;
  const auto where = transport::process_of(node);
  if (!where || *where == memory::run_memory::current().self())
    return std::nullopt;
  return process_view{*where};
}

/// Erlang's `normal` and `shutdown`; a process that exits with code 0, too.
bool ended_by_itself(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal
         || reason == caf::exit_reason::user_shutdown
         || transport::exited_in_order(reason);
}

} // namespace

void check_child(const child_spec& child, const std::string& attempted) {
  if (!child.start)
    throw invalid_argument(attempted, "its specification has no start");
  require_enumerator(attempted, "restart", child.restart, restart::temporary);
  require_positive(attempted, "start_limit", child.start_limit);
  if (const auto limit = child.shutdown.limit(); limit && limit->count() < 0)
    throw invalid_argument(
      attempted, "shutdown is within " + std::to_string(limit->count())
                   + " ns: it must not be negative; 0 kills at once");
}

template <class Work>
auto supervisor_core::answer(Work work) const {
  using result = caf::result<decltype(work())>;
  try {
    return result{work()};
  } catch (...) {
    if (const auto& asker = self_->current_sender();
        asker && asker->nid == self_->node())
      exception_of_request::note(asker->aid);
    return result{transport::error_being_handled()};
  }
}

supervisor_core::supervisor_core(caf::blocking_actor* self,
                                 supervisor_options options,
                                 std::vector<child_spec> children)
  : self_(self),
    options_(std::move(options)),
    intensity_(options_.intensity, options_.period) {
  for (auto& each : children)
    members_.emplace_back(std::move(each));
}

void supervisor_core::start() {
  for (auto& each : members_)
    try {
      start(each);
    } catch (...) {
      end_all();
      throw;
    }
}

void supervisor_core::run() {
  try {
    while (!over_)
      serve();
  } catch (...) {
    end_all();
    throw;
  }
  end_all();
}

void supervisor_core::serve() {
  if (!late_.empty()) {
    const auto down = std::move(late_.front());
    late_.pop_front();
    return ended(down);
  }
  const bool hurry = !again_.empty();
  const auto limit = hurry ? at_once : look_after_leaving();
  self_->receive(
    [this](caf::down_msg& down) { ended(down); },
    [this](caf::exit_msg&) { over_ = true; },
    [this](start_child_atom, child_spec& spec) {
      return answer([&] { return add(std::move(spec)); });
    },
    [this](caf::get_atom, const std::string& id) {
      return answer([&] { return find(id).actor; });
    },
    [this](restart_child_atom, const std::string& id) {
      return answer([&] {
        auto& which = find_ended("restart", id);
        start(which);
        return which.actor;
      });
    },
    [this](terminate_child_atom, const std::string& id) {
      return answer([&] {
        terminate(id);
        return caf::unit;
      });
    },
    [this](delete_child_atom, const std::string& id) {
      return answer([&] {
        forget(find_ended("delete", id));
        return caf::unit;
      });
    },
    [this](which_children_atom) { return list(); },
    [this](count_children_atom) { return count(); },
    [this](caf::subscribe_atom, const caf::actor& who) { subscribe(who); },
    [this](caf::unsubscribe_atom, const caf::actor& who) {
      for (auto& each : listeners_)
        if (each.who == who.address())
          each.wants = {};
    },
    // A start that was left has come back after all.
    [](caf::ok_atom, std::uint64_t) {},
    // What came meanwhile is looked at before a start is tried again: else
    // nobody could end a child that never starts.
    caf::after(limit) >> [] {});
  if (hurry && !over_)
    try_again();
}

supervisor_core::member*
supervisor_core::look_up(std::string_view id) noexcept {
  for (auto& each : members_)
    if (each.spec.id == id)
      return &each;
  return nullptr;
}

supervisor_core::member& supervisor_core::find(std::string_view id) {
  if (auto* found = look_up(id))
    return *found;
  throw unknown_name("find child '" + std::string{id} + "'",
                     "the supervisor has no such child");
}

supervisor_core::member& supervisor_core::find_ended(const char* what,
                                                     const std::string& id) {
  auto& found = find(id);
  if (found.actor || found.restarting)
    throw invalid_state(std::string{what} + " child '" + id + "'",
                        found.actor ? "it runs" : "it is being restarted",
                        "terminate it first");
  return found;
}

caf::actor supervisor_core::add(child_spec spec) {
  const auto what = "start child '" + spec.id + "'";
  check_child(spec, what);
  if (look_up(spec.id) != nullptr)
    throw invalid_argument(what, "there is a child of that name");
  member made{std::move(spec)};
  start(made);
  members_.push_back(std::move(made));
  return members_.back().actor;
}

void supervisor_core::terminate(const std::string& id) {
  auto& which = find(id);
  end(which);
  which.restarting = false;
  if (which.spec.restart == restart::temporary)
    forget(which);
}

void supervisor_core::forget(const member& one) {
  members_.erase(members_.begin() + (&one - members_.data()));
}

void supervisor_core::start(member& one) {
  make(one);
  const auto where = process_of(one.actor);
  one.pid = where ? where->pid() : 0;
  one.restarting = false;
  self_->monitor(one.actor);
  if (one.spec.name.empty())
    return;
  try {
    register_name(one);
  } catch (...) {
    end(one);
    throw;
  }
}

/// Calls the specification's start in a thread of its own, so that a start that
/// hangs keeps the supervisor neither for ever nor from being ended.
void supervisor_core::make(member& one) {
  const auto& spec = one.spec;
  const auto work = pending_start::begin(spec.start, ++starts_, self_);
  auto limit = spec.start_limit ? deadline::after(*spec.start_limit)
                                : deadline::never();
  while (!work->done() && !(work->given_up() && limit.passed())) {
    const auto give_up = [&] {
      work->give_up();
      limit = deadline::after(patience);
    };
    self_->receive([](caf::ok_atom, std::uint64_t) {},
                   [&](caf::exit_msg&) {
                     over_ = true;
                     give_up();
                   },
                   caf::after(left_of(limit)) >>
                     [&] {
                       if (limit.passed() && !work->given_up())
                         give_up();
                     });
  }
  if (!work->given_up()) {
    one.actor = work->take();
    one.own = work->process();
    return;
  }
  work->abandon();
  if (over_)
    throw cancelled("start child '" + spec.id + "'",
                    "its supervisor was told to end");
  throw timed_out("start child '" + spec.id + "'",
                  "it was not there within its start_limit");
}

void supervisor_core::register_name(member& one) {
  const auto& name = one.spec.name;
  // The end of the one before is known here; the table may learn of it later.
  if (one.named && names::find(name) == one.named)
    names::erase(name);
  names::set(name, one.actor);
  one.named = one.actor;
}

/// Ends a child and waits until it is gone, and its own process with it; does
/// nothing to one that has ended.
void supervisor_core::end(member& one) {
  if (!one.actor)
    return;
  const auto actor = std::exchange(one.actor, {});
  const auto where = process_of(actor);
  const auto own = std::exchange(one.own, std::nullopt);
  const auto limit = one.spec.shutdown.limit();
  bool down = false;
  if (!limit || limit->count() > 0) {
    const auto until = limit ? deadline::after(*limit) : deadline::never();
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    down = await_down(actor, limit);
    // For ever is for the actor; a process without it has nothing left to do.
    const auto rest = limit ? until : deadline::after(patience);
    if (down && (!own || own->join_before(rest)))
      return;
  }
  if (where)
    static_cast<void>(hosting::try_signal(*where, SIGKILL));
  else
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  if (!down)
    await_down(actor, patience);
  if (where)
    static_cast<void>(where->join_for(patience));
}

/// The process of a child that has ended by itself is on its way out. Nobody
/// waits for it, but for ever it may not take.
void supervisor_core::await_end(member& one) {
  const auto own = std::exchange(one.own, std::nullopt);
  if (own && own->is_alive())
    leaving_.push_back(
      {*own, deadline::after(one.spec.shutdown.limit().value_or(patience))});
}

/// Kills what was to be gone by now. Returns when to look again.
caf::timespan supervisor_core::look_after_leaving() {
  std::erase_if(leaving_, [](const leaving& each) {
    if (each.limit.passed())
      static_cast<void>(hosting::try_signal(each.process, SIGKILL));
    return each.limit.passed() || !each.process.is_alive();
  });
  return leaving_.empty() ? day : look_again;
}

void supervisor_core::end_all() {
  for (auto each = members_.rbegin(); each != members_.rend(); ++each)
    end(*each);
  for (const auto& each : std::exchange(leaving_, {}))
    if (!each.process.join_before(each.limit)) {
      static_cast<void>(hosting::try_signal(each.process, SIGKILL));
      static_cast<void>(each.process.join_for(patience));
    }
}

/// Waits for the death of one actor; those of others are kept, and all other
/// messages stay where they are.
bool supervisor_core::await_down(
  const caf::actor& actor, std::optional<std::chrono::nanoseconds> limit) {
  const auto address = actor.address();
  // It may have ended by itself, while another was waited for.
  bool gone = std::erase_if(late_,
                            [&](const caf::down_msg& down) {
                              return down.source == address;
                            })
              > 0;
  const auto until = limit ? deadline::after(*limit) : deadline::never();
  while (!gone && !until.passed())
    self_->receive(
      [&](caf::down_msg& down) {
        if (down.source == address)
          gone = true;
        else
          late_.push_back(std::move(down));
      },
      caf::after(left_of(until)) >> [] {});
  return gone;
}

void supervisor_core::ended(const caf::down_msg& down) {
  std::erase_if(listeners_,
                [&](const listener& each) { return each.who == down.source; });
  const auto found
    = std::find_if(members_.begin(), members_.end(), [&](const auto& each) {
        return each.actor && each.actor.address() == down.source;
      });
  // One that was ended on purpose, and heard of late.
  if (found == members_.end())
    return;
  found->actor = {};
  await_end(*found);
  // The end of the run is no reason to begin anew.
  if (hosting::is_winding_up(transport::signal_of(down.reason))) {
    over_ = true;
    return;
  }
  const auto policy = found->spec.restart;
  if (policy == restart::temporary)
    return forget(*found);
  if (policy == restart::transient && ended_by_itself(down.reason))
    return;
  restart_from(*found, found->pid, transport::text_of(down.reason));
}

/// Tries again what failed, once.
void supervisor_core::try_again() {
  const auto what = std::move(again_.front());
  again_.pop_front();
  if (hosting::is_winding_up()) {
    over_ = true;
    return;
  }
  // It may have been terminated, or started with others, meanwhile.
  if (auto* found = look_up(what.id); found != nullptr && found->restarting)
    restart_from(*found, 0, what.reason);
}

/// Restarts whom the strategy says after the end of `dead`. A start that fails
/// counts as another end, of the child that did not start.
void supervisor_core::restart_from(member& dead, std::int32_t pid,
                                   const std::string& reason) {
  const bool allowed = intensity_.note(restart_intensity::clock::now());
  report({dead.spec.id, pid, reason, intensity_.count(), !allowed});
  if (!allowed) {
    over_ = true;
    return;
  }
  std::vector<std::string> concerned;
  bool behind = false;
  for (const auto& each : members_) {
    const bool is_dead = &each == &dead;
    behind = behind || is_dead;
    if (is_dead || options_.strategy == strategy::one_for_all
        || (options_.strategy == strategy::rest_for_one && behind))
      concerned.push_back(each.spec.id);
  }
  for (auto id = concerned.rbegin(); id != concerned.rend(); ++id) {
    auto& each = find(*id);
    end(each);
    if (each.spec.restart == restart::temporary)
      forget(each);
  }
  for (const auto& id : concerned)
    if (!start_again(id))
      return;
}

/// Returns false if it failed; it will be tried again then.
bool supervisor_core::start_again(const std::string& id) {
  auto* one = look_up(id);
  // A temporary one, which is forgotten.
  if (one == nullptr)
    return true;
  try {
    start(*one);
    ++one->restarts;
    return true;
  } catch (...) {
    one->restarting = true;
    again_.push_back({id, calls::failure::being_handled().full_text()});
    return false;
  }
}

} // namespace troupe::supervision
