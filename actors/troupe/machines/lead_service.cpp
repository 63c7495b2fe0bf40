// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/lead_service.hpp>

#include <troupe/base/error.hpp>
#include <troupe/machines/lead.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/os/thread.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/service_actor.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/spawn_options.hpp>

#include <algorithm>
#include <csignal>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

namespace troupe::machines {

namespace {

using handles = std::vector<caf::strong_actor_ptr>;
using transport::make_error;

/// What other threads have the service do.
class errands {
public:
  explicit errands(caf::actor of) : of_(std::move(of)) {
  }

  void add(std::function<void()> what) {
    {
      const std::scoped_lock guard{mutex_};
      waiting_.push_back(std::move(what));
    }
    if (transport::node::current() != nullptr)
      transport::version::send_anonymously(of_, caf::tick_atom_v);
  }

  [[nodiscard]] std::deque<std::function<void()>> take() {
    const std::scoped_lock guard{mutex_};
    return std::exchange(waiting_, {});
  }

private:
  const caf::actor of_;
  std::mutex mutex_;
  std::deque<std::function<void()>> waiting_;
};

using members = std::vector<std::shared_ptr<member>>;

machine_list list_of(const lead& leads, const members& there) {
  machine_list made{to_string(leads.where()), {}};
  for (const auto& each : there)
    made.there.push_back({each->number(), each->name(), each->labels(),
                          each->processors(), each->memory()});
  return made;
}

class lead_service : public caf::event_based_actor {
public:
  lead_service(caf::actor_config& config, lead& of)
    : event_based_actor(config), lead_(of) {
  }

  caf::behavior make_behavior() override {
    // The process ends with this actor in it, so it may hold itself.
    errands_ = std::make_shared<errands>(caf::actor{this});
    lead_.when_changed(
      [to = errands_, this] { to->add([this] { answer_waits(); }); });
    return {
      [this](caf::get_atom) {
        return as_text(list_of(lead_, lead_.members()));
      },
      [this](caf::wait_for_atom, const std::string& what) {
        return attempt<std::string>([&] { return wait(what); });
      },
      [this](caf::open_atom, const std::string& what, const handles& named,
             const caf::actor& asker) {
        return attempt<std::uint64_t>(
          [&] { return start(what, named, asker); });
      },
      [this](caf::update_atom, std::uint64_t call, std::int32_t signal) {
        const auto found = calls_.find(call);
        if (found != calls_.end())
          found->second.on->signal(*found->second.of, signal);
      },
      [this](caf::spawn_atom, const std::string& what, const handles& named) {
        return attempt<caf::strong_actor_ptr>(
          [&] { return make(what, named); });
      },
      [this](caf::tick_atom) {
        for (const auto& each : errands_->take())
          each();
      },
    };
  }

private:
  struct call {
    std::shared_ptr<member> on;
    std::shared_ptr<remote_call> of;
    caf::actor asker;
  };

  struct waiting {
    wished what;
    caf::typed_response_promise<std::string> answer;
    caf::actor_addr who;
  };

  /// What `what` gives, or the failure that it throws.
  template <class Result, class What>
  [[nodiscard]] static caf::result<Result> attempt(What what) {
    try {
      return what();
    } catch (...) {
      return transport::error_being_handled();
    }
  }

  void watch(const caf::actor& whom) {
    transport::version::watch(this, whom,
                              [this](const caf::actor_addr& who,
                                     const caf::error&) { has_ended(who); });
  }

  void has_ended(const caf::actor_addr& who) {
    std::erase_if(waits_, [&](const auto& each) { return each.who == who; });
    std::erase_if(calls_, [&](const auto& each) {
      if (each.second.asker.address() != who)
        return false;
      // Nobody else asks for what it does.
      each.second.on->signal(*each.second.of, SIGKILL);
      return true;
    });
  }

  [[nodiscard]] std::shared_ptr<member> find(std::uint64_t machine,
                                             const char* attempted) const {
    for (const auto& each : lead_.members())
      if (each->number() == machine)
        return each;
    throw machine_lost(attempted, "it is lost, or has left",
                       "take another of machines::list(), or wait for one");
  }

  caf::result<std::string> wait(const std::string& request) {
    auto what = from_text<wished>(request);
    if (const auto there = lead_.members(); are_as_wished(there, what))
      return as_text(list_of(lead_, there));
    const auto who = caf::actor_cast<caf::actor>(current_sender());
    waits_.push_back(
      {std::move(what), make_response_promise<std::string>(), who.address()});
    watch(who);
    return caf::delegated<std::string>{};
  }

  void answer_waits() {
    const auto there = lead_.members();
    const auto now = as_text(list_of(lead_, there));
    std::erase_if(waits_, [&](auto& each) {
      if (!are_as_wished(there, each.what))
        return false;
      each.answer.deliver(now);
      return true;
    });
  }

  std::uint64_t start(const std::string& request, const handles& named,
                      const caf::actor& asker) {
    auto what = from_text<start_request>(request);
    const auto on = find(what.machine, "start a process on a machine");
    auto made = on->start(std::move(what.what),
                          put_together(what.places, named));
    const auto id = ++last_;
    calls_.emplace(id, call{on, made, asker});
    watch(asker);
    made->tell_outcome([this, to = errands_, id](call_outcome outcome) {
      auto shared = std::make_shared<call_outcome>(std::move(outcome));
      // Behind what it has printed.
      lead_.lines().print(1, {}, {}, [this, to, id, shared] {
        to->add([this, id, shared] { tell(id, std::move(*shared)); });
      });
    });
    return id;
  }

  void tell(std::uint64_t id, call_outcome outcome) {
    const auto found = calls_.extract(id);
    if (found.empty())
      return;
    const auto& asker = found.mapped().asker;
    auto* self = this;
    if (!outcome.ended)
      return transport::version::send_anonymously(asker, caf::close_atom_v,
                                                  outcome.lost);
    const auto number = outcome.ended->number;
    const outcome_note note{std::move(*outcome.ended),
                            places_of(outcome.actors)};
    transport::version::request(self, asker, caf::update_atom_v, as_text(note),
                                actors_of(outcome.actors))
      .then([](caf::ok_atom) {},
            [asker, number](const caf::error& why) {
              // Too much for the way there; or it is gone.
              outcome_note refused;
              refused.ended.number = number;
              refused.ended.code
                = static_cast<std::int32_t>(errc::limit_reached);
              refused.ended.text = transport::text_of(why);
              transport::version::send_anonymously(asker, caf::update_atom_v,
                                                   as_text(refused), handles{});
            });
  }

  caf::result<caf::strong_actor_ptr> make(const std::string& request,
                                          const handles& named) {
    auto what = from_text<spawn_request>(request);
    const auto on = find(what.machine, "make an actor on a machine");
    auto places = put_together(what.places, named);
    auto answer
      = std::make_shared<caf::typed_response_promise<caf::strong_actor_ptr>>(
        make_response_promise<caf::strong_actor_ptr>());
    // In a thread of its own, for it waits for a process to begin.
    os::start_thread([to = errands_, on, answer, what = std::move(what.what),
                      places = std::move(places)] {
      os::let_this_thread_run_on();
      try {
        auto made = on->spawn(what, places);
        to->add([answer, made = std::move(made)] { answer->deliver(made); });
      } catch (const remote_error& failure) {
        to->add([answer, why = transport::to_caf(failure.thrown())] {
          answer->deliver(why);
        });
      } catch (...) {
        to->add([answer, why = transport::error_being_handled()] {
          answer->deliver(why);
        });
      }
    }).detach();
    return caf::delegated<caf::strong_actor_ptr>{};
  }

  lead& lead_;
  std::shared_ptr<errands> errands_;
  std::vector<waiting> waits_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, call> calls_;
};

} // namespace

caf::strong_actor_ptr service_of_lead() {
  static std::mutex mutex;
  // Never destroyed: processes ask until this one ends.
  static auto& made = *new caf::strong_actor_ptr;
  const std::scoped_lock guard{mutex};
  auto* const leads = lead::current();
  if (!made && leads != nullptr) {
    try {
      made = caf::actor_cast<caf::strong_actor_ptr>(
        actor_system().spawn<runtime::service_actor<lead_service>, caf::hidden>(
          *leads));
    } catch (const invalid_state&) {
      // It is ending.
      return nullptr;
    }
  }
  return made;
}

} // namespace troupe::machines
