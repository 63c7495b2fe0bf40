// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/supervisor.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/process.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/node_name.hpp>

#include <caf/actor_cast.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace troupe {

namespace {

using transport::make_error;

/// After that much time whoever asked hears that a child cannot be killed.
constexpr std::chrono::seconds patience{30};

constexpr caf::timespan at_once{1};
constexpr caf::timespan day{std::chrono::hours{24}};

struct member {
  child_spec spec;
  caf::actor actor;
  std::uint32_t restarts = 0;
  /// Its last start failed, and is to be tried again.
  bool restarting = false;
};

/// What was thrown, in words. For use in a handler.
std::string text_of_current_exception() {
  try {
    throw;
  } catch (const std::exception& failure) {
    return failure.what();
  } catch (...) {
    return "something that is no std::exception was thrown";
  }
}

std::optional<process_view> process_of(const caf::actor& actor) {
  const auto node = caf::actor_cast<caf::strong_actor_ptr>(actor)->nid;
  const auto where = transport::process_of(node);
  if (!where || *where == memory::run_memory::current().self())
    return std::nullopt;
  return process_view{*where};
}

bool ended_by_itself(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal
         || reason == caf::exit_reason::user_shutdown;
}

void print(const restart_report& what) {
  std::fprintf(
    stderr, "troupe: child '%s' ended (%s); %s\n", what.child.c_str(),
    what.reason.c_str(),
    what.given_up
      ? "its supervisor gives up"
      : ("restarted, " + std::to_string(what.restarts) + " of late").c_str());
}

/// The supervisor's own loop, in a thread of its own: starting a process and
/// waiting for the end of one take their time.
class supervising {
public:
  supervising(caf::blocking_actor* self, supervisor_options options,
              std::vector<child_spec> children)
    : self_(self),
      options_(std::move(options)),
      intensity_(options_.intensity, options_.period) {
    if (!options_.report)
      options_.report = print;
    for (auto& each : children)
      members_.push_back({std::move(each), {}});
  }

  /// Starts the children in order; ends those that were, if one does not.
  void start() {
    for (auto& each : members_)
      try {
        start(each);
      } catch (...) {
        end_all();
        throw;
      }
  }

  /// Serves until it is told to end or has given up, and ends the children.
  void run() {
    while (!over_) {
      if (!late_.empty()) {
        const auto down = std::move(late_.front());
        late_.pop_front();
        ended(down);
        continue;
      }
      const bool hurry = !again_.empty();
      self_->receive([this](caf::down_msg& down) { ended(down); },
                     [this](caf::exit_msg&) { over_ = true; },
                     [this](start_child_atom, child_spec& spec) {
                       return answer([&] { return add(std::move(spec)); });
                     },
                     [this](caf::get_atom, const std::string& id) {
                       return answer([&] { return find(id).actor; });
                     },
                     [this](restart_child_atom, const std::string& id) {
                       return answer([&] {
                         auto& which = find(id);
                         require(!which.actor && !which.restarting, "restart",
                                 id, "it runs");
                         start(which);
                         return which.actor;
                       });
                     },
                     [this](terminate_child_atom, const std::string& id) {
                       return answer([&] {
                         auto& which = find(id);
                         end(which);
                         which.restarting = false;
                         if (which.spec.restart == restart::temporary)
                           forget(which);
                         return caf::unit;
                       });
                     },
                     [this](delete_child_atom, const std::string& id) {
                       return answer([&] {
                         auto& which = find(id);
                         require(!which.actor && !which.restarting, "delete",
                                 id, "it runs: terminate it first");
                         forget(which);
                         return caf::unit;
                       });
                     },
                     [this](which_children_atom) { return list(); },
                     // What came meanwhile is looked at before a start is tried
                     // again: else nobody could end a child that never starts.
                     caf::after(hurry ? at_once : day) >> [] {});
      if (hurry && !over_)
        try_again();
    }
    end_all();
  }

private:
  /// What `work` returns, or what it throws as an error.
  template <class Work>
  auto answer(Work work) -> caf::result<decltype(work())> {
    try {
      return work();
    } catch (const error& failure) {
      return transport::to_caf(failure);
    } catch (...) {
      return make_error(errc::remote_exception, text_of_current_exception());
    }
  }

  static void require(bool so, const char* what, const std::string& id,
                      const char* why) {
    if (!so)
      throw invalid_state(std::string{what} + " child '" + id + "'", why);
  }

  member& find(std::string_view id) {
    for (auto& each : members_)
      if (each.spec.id == id)
        return each;
    throw unknown_name("find child '" + std::string{id} + "'",
                       "the supervisor has no such child");
  }

  caf::actor add(child_spec spec) {
    const auto what = "start child '" + spec.id + "'";
    if (!spec.start)
      throw invalid_argument(what, "its specification has no start");
    for (const auto& each : members_)
      if (each.spec.id == spec.id)
        throw invalid_argument(what, "there is a child of that name");
    member made{std::move(spec), {}};
    start(made);
    members_.push_back(std::move(made));
    return members_.back().actor;
  }

  void start(member& one) {
    one.actor = one.spec.start();
    one.restarting = false;
    self_->monitor(one.actor);
  }

  void forget(const member& one) {
    const auto* where = &one;
    members_.erase(members_.begin() + (where - members_.data()));
  }

  /// Ends a child and waits until it has; does nothing to one that has.
  void end(member& one) {
    if (!one.actor)
      return;
    const auto actor = std::exchange(one.actor, {});
    const auto where = process_of(actor);
    const auto limit = one.spec.shutdown.limit();
    if (!limit || limit->count() > 0) {
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
      if (await_down(actor, limit))
        return;
    }
    if (where)
      where->kill();
    else
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    await_down(actor, patience);
  }

  /// Waits for the death of one actor; other messages stay where they are.
  bool await_down(const caf::actor& actor,
                  std::optional<std::chrono::nanoseconds> limit) {
    const auto address = actor.address();
    // It may have ended by itself, while another was waited for.
    bool gone = std::erase_if(late_,
                              [&](const caf::down_msg& down) {
                                return down.source == address;
                              })
                > 0;
    const auto until = limit ? deadline::after(*limit) : deadline::never();
    while (!gone && !until.passed()) {
      const auto take = [&](caf::down_msg& down) {
        if (down.source == address)
          gone = true;
        else
          late_.push_back(std::move(down));
      };
      if (until.is_never()) {
        self_->receive(take);
      } else {
        const auto left = until.when() - deadline::clock::now();
        self_->receive(
          take,
          caf::after(std::max<caf::timespan>(left, caf::timespan{1})) >> [] {});
      }
    }
    return gone;
  }

  void end_all() {
    for (auto each = members_.rbegin(); each != members_.rend(); ++each)
      end(*each);
  }

  void ended(const caf::down_msg& down) {
    const auto found
      = std::find_if(members_.begin(), members_.end(), [&](const auto& each) {
          return each.actor && each.actor.address() == down.source;
        });
    // One that was ended on purpose, and heard of late.
    if (found == members_.end())
      return;
    found->actor = {};
    const auto policy = found->spec.restart;
    if (policy == restart::temporary)
      return forget(*found);
    if (policy == restart::transient && ended_by_itself(down.reason))
      return;
    restart_from(*found, transport::text_of(down.reason));
  }

  /// Tries again what failed, once.
  void try_again() {
    const auto [id, reason] = std::move(again_.front());
    again_.pop_front();
    const auto found
      = std::find_if(members_.begin(), members_.end(),
                     [&](const auto& each) { return each.spec.id == id; });
    // It may have been terminated or started with others meanwhile.
    if (found != members_.end() && found->restarting)
      restart_from(*found, reason);
  }

  /// Restarts whom the strategy says after the end of `dead`. A start that
  /// fails counts as another end, of the child that did not start.
  void restart_from(member& dead, const std::string& reason) {
    const bool allowed = intensity_.note(restart_intensity::clock::now());
    report({dead.spec.id, reason, intensity_.count(), !allowed});
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
  bool start_again(const std::string& id) {
    const auto found
      = std::find_if(members_.begin(), members_.end(),
                     [&](const auto& each) { return each.spec.id == id; });
    // A temporary one, which is forgotten.
    if (found == members_.end())
      return true;
    try {
      start(*found);
      ++found->restarts;
      return true;
    } catch (...) {
      found->restarting = true;
      again_.push_back({id, text_of_current_exception()});
      return false;
    }
  }

  void report(const restart_report& what) const {
    try {
      options_.report(what);
    } catch (...) {
      std::fprintf(stderr, "troupe: the report on child '%s' failed: %s\n",
                   what.child.c_str(), text_of_current_exception().c_str());
    }
  }

  std::vector<child_info> list() const {
    std::vector<child_info> result;
    for (const auto& each : members_) {
      child_info info{each.spec.id, each.actor, 0, each.restarts,
                      each.spec.supervises};
      if (each.actor)
        if (const auto where = process_of(each.actor))
          info.pid = where->pid();
      result.push_back(std::move(info));
    }
    return result;
  }

  caf::blocking_actor* self_;
  supervisor_options options_;
  restart_intensity intensity_;
  std::vector<member> members_;
  /// Deaths that were heard of while another was waited for.
  std::deque<caf::down_msg> late_;
  /// Ids of children whose start failed, and why.
  std::deque<std::pair<std::string, std::string>> again_;
  bool over_ = false;
};

/// Makes the actor and waits until its children run.
caf::actor launch(supervisor_options options,
                  std::vector<child_spec> children) {
  static_cast<void>(supervision::messages_known);
  for (auto each = children.begin(); each != children.end(); ++each) {
    const auto what = "start a supervisor with child '" + each->id + "'";
    if (!each->start)
      throw invalid_argument(what, "its specification has no start");
    if (std::any_of(children.begin(), each,
                    [&](const auto& before) { return before.id == each->id; }))
      throw invalid_argument(what, "there is another child of that name");
  }
  auto started = std::make_shared<std::promise<void>>();
  auto answer = started->get_future();
  const auto made
    = actor_system().spawn<caf::detached>([=](caf::blocking_actor* self) {
        supervising work{self, options, children};
        try {
          work.start();
        } catch (...) {
          started->set_exception(std::current_exception());
          return;
        }
        started->set_value();
        work.run();
        // Also where it has given up: Erlang's `shutdown`.
        self->fail_state(caf::exit_reason::user_shutdown);
      });
  answer.get();
  return made;
}

[[noreturn]] void throw_error(const caf::error& why) {
  const auto text = transport::text_of(why);
  switch (transport::code_of(why)) {
    case errc::unknown_name: throw unknown_name("ask a supervisor", text);
    case errc::invalid_state: throw invalid_state("ask a supervisor", text);
    case errc::invalid_argument:
      throw invalid_argument("ask a supervisor", text);
    case errc::none:
      throw peer_died("ask a supervisor", "it has ended: " + text,
                      "look at its last report, and make a new one");
    default: throw error{transport::code_of(why), "ask a supervisor", text};
  }
}

template <class R, class... Ts>
R ask(const supervisor_actor& whom, Ts&&... what) {
  caf::scoped_actor self{actor_system()};
  std::optional<caf::error> failure;
  if constexpr (std::is_void_v<R>) {
    transport::version::request(self, whom, std::forward<Ts>(what)...)
      .receive([] {}, [&](caf::error& why) { failure = std::move(why); });
    if (failure)
      throw_error(*failure);
  } else {
    R result;
    transport::version::request(self, whom, std::forward<Ts>(what)...)
      .receive([&](R& value) { result = std::move(value); },
               [&](caf::error& why) { failure = std::move(why); });
    if (failure)
      throw_error(*failure);
    return result;
  }
}

} // namespace

supervisor::supervisor(supervisor_options options,
                       std::vector<child_spec> children)
  : actor_(caf::actor_cast<supervisor_actor>(
      launch(std::move(options), std::move(children)))) {
}

supervisor::~supervisor() {
  close();
}

void supervisor::close() {
  if (!actor_)
    return;
  const auto whom = std::exchange(actor_, {});
  caf::scoped_actor self{actor_system()};
  const auto plain = caf::actor_cast<caf::actor>(whom);
  self->monitor(plain);
  caf::anon_send_exit(plain, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
}

caf::actor supervisor::start_child(child_spec spec) const {
  return ask<caf::actor>(actor_, start_child_atom_v, std::move(spec));
}

caf::actor supervisor::child(std::string_view id) const {
  return ask<caf::actor>(actor_, caf::get_atom_v, std::string{id});
}

caf::actor supervisor::restart_child(std::string_view id) const {
  return ask<caf::actor>(actor_, restart_child_atom_v, std::string{id});
}

void supervisor::terminate_child(std::string_view id) const {
  ask<void>(actor_, terminate_child_atom_v, std::string{id});
}

void supervisor::delete_child(std::string_view id) const {
  ask<void>(actor_, delete_child_atom_v, std::string{id});
}

std::vector<child_info> supervisor::which_children() const {
  return ask<std::vector<child_info>>(actor_, which_children_atom_v);
}

bool supervisor::is_alive() const {
  try {
    static_cast<void>(which_children());
    return true;
  } catch (const error&) {
    return false;
  }
}

child_spec supervised(std::string id, supervisor_options options,
                      std::vector<child_spec> children) {
  child_spec result;
  result.id = std::move(id);
  result.shutdown = shutdown::infinity();
  result.supervises = true;
  result.start = [options = std::move(options),
                  children = std::move(children)] {
    return launch(options, children);
  };
  return result;
}

} // namespace troupe
