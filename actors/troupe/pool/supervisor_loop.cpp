// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/supervisor_loop.hpp>

#include <troupe/base/error.hpp>
#include <troupe/pool/exception_of_request.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/transport/caf_error.hpp>

#include <caf/after.hpp>
#include <caf/result.hpp>
#include <caf/unit.hpp>

#include <algorithm>
#include <chrono>
#include <exception>

namespace troupe::supervision {

namespace {

constexpr caf::timespan at_once{1};
constexpr caf::timespan day{std::chrono::hours{24}};
constexpr caf::timespan look_again{std::chrono::milliseconds{20}};

supervisor_core::settings settings_of(const supervisor_options& options) {
  supervisor_core::settings result;
  result.strategy = options.strategy;
  result.limits = {options.intensity, options.period};
  return result;
}

} // namespace

void check_child(const child_spec& child, const std::string& attempted) {
  if (!child.start)
    throw invalid_argument(attempted, "its specification has no start");
  check_policy(child.policy(), attempted);
}

template <class Work>
auto supervisor_loop::answer(Work work) const {
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

supervisor_loop::supervisor_loop(caf::blocking_actor* self,
                                 supervisor_options options)
  : self_(self), options_(std::move(options)), core_(settings_of(options_)) {
}

void supervisor_loop::start(std::vector<child_spec> children) {
  try {
    for (auto& each : children)
      add("start a supervisor", std::move(each));
    settle();
    throw_if_failed();
  } catch (...) {
    end_all();
    throw;
  }
}

void supervisor_loop::run() {
  try {
    while (!over_)
      serve();
  } catch (...) {
    end_all();
    throw;
  }
  end_all();
}

void supervisor_loop::serve() {
  if (core_.judge_next(clock::now()))
    return settle();
  const auto idle = look_at_leftovers();
  const bool hurry = core_.has_failed_start();
  self_->receive(
    [this](caf::down_msg& down) { ended(down); },
    [this](caf::exit_msg&) { over_ = true; },
    [this](start_child_atom, child_spec& spec) {
      return answer([&] { return start_child(std::move(spec)); });
    },
    [this](caf::get_atom, const std::string& id) {
      return answer([&] { return of(core_.find(id).number).actor; });
    },
    [this](restart_child_atom, const std::string& id) {
      return answer([&] { return restart_child(id); });
    },
    [this](terminate_child_atom, const std::string& id) {
      return answer([&] {
        core_.terminate(id);
        settle();
        return caf::unit;
      });
    },
    [this](delete_child_atom, const std::string& id) {
      return answer([&] {
        drop(core_.remove(id));
        return caf::unit;
      });
    },
    [this](which_children_atom) { return list(); },
    [this](count_children_atom) { return core_.count(); },
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
    caf::after(hurry ? at_once : idle) >> [] {});
  if (!hurry || over_)
    return;
  if (hosting::is_winding_up())
    over_ = true;
  else if (core_.retry_next(clock::now()))
    settle();
}

/// Tells the core which processes of children are gone by now, and kills what
/// was to be. Returns when to look again.
caf::timespan supervisor_loop::look_at_leftovers() {
  std::erase_if(leftovers_, [this](const leftover& each) {
    if (each.process.is_alive() && core_.is_leftover(each.start))
      return false;
    core_.process_gone(each.start);
    return true;
  });
  settle();
  return leftovers_.empty() ? day : look_again;
}

// Children --------------------------------------------------------------------

supervisor_loop::member& supervisor_loop::of(child_number which) {
  return *std::ranges::find(members_, which, &member::number);
}

void supervisor_loop::drop(child_number which) {
  std::erase_if(members_,
                [&](const member& each) { return each.number == which; });
}

child_number supervisor_loop::add(const std::string& attempted,
                                  child_spec spec) {
  check_child(spec, attempted);
  failure_ = nullptr;
  member made;
  made.number = core_.add(attempted, spec.policy());
  made.make = std::move(spec.start);
  made.name = std::move(spec.name);
  members_.push_back(std::move(made));
  return members_.back().number;
}

caf::actor supervisor_loop::start_child(child_spec spec) {
  const auto attempted = "start child '" + spec.id + "'";
  const auto number = add(attempted, std::move(spec));
  settle();
  if (failure_) {
    core_.discard(number);
    drop(number);
  }
  throw_if_failed();
  return of(number).actor;
}

caf::actor supervisor_loop::restart_child(const std::string& id) {
  failure_ = nullptr;
  const auto number = core_.start_again(id);
  settle();
  throw_if_failed();
  return of(number).actor;
}

void supervisor_loop::throw_if_failed() {
  if (failure_)
    std::rethrow_exception(std::exchange(failure_, nullptr));
}

void supervisor_loop::ended(const caf::down_msg& down) {
  std::erase_if(listeners_,
                [&](const listener& each) { return each.who == down.source; });
  const auto found = std::ranges::find_if(members_, [&](const member& each) {
    return (each.actor && each.actor.address() == down.source)
           || (each.ending && each.ending.address() == down.source);
  });
  // One that was ended on purpose, and heard of late.
  if (found == members_.end())
    return;
  child_end how;
  how.pid = found->pid;
  how.reason = transport::text_of(down.reason);
  // Erlang's `normal` and `shutdown`; a process that exits with code 0, too.
  if (!down.reason || down.reason == caf::exit_reason::normal
      || down.reason == caf::exit_reason::user_shutdown
      || transport::exited_in_order(down.reason))
    how.cause = end_cause::by_itself;
  if (found->actor) {
    // The end of the run is no reason to begin anew.
    if (hosting::is_winding_up(transport::signal_of(down.reason)))
      how.notice = end_notice::last;
    if (found->process)
      leftovers_.push_back({found->start, *found->process});
  }
  found->actor = {};
  found->ending = {};
  core_.ended(found->number, std::move(how), clock::now());
}

void supervisor_loop::end_all() {
  core_.end_all();
  settle();
}

} // namespace troupe::supervision
