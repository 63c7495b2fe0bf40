// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state_actor.hpp>

#include <troupe/base/error.hpp>
#include <troupe/calls/failure.hpp>
#include <troupe/process/table.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/service_actor.hpp>
#include <troupe/state/itself.hpp>
#include <troupe/state/table.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/handle_coding.hpp>
#include <troupe/transport/node_name.hpp>

#include <caf/actor_cast.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

namespace {

using held::answer;
using held::call;
using held::client_id;

/// What was answered, on its way to the actor: neither of both where nobody
/// waits for it any more. Any thread.
struct outcome {
  std::optional<answer> result;
  caf::error failure;
};

class outcomes {
public:
  void put(std::uint64_t number, outcome what) {
    const std::scoped_lock guard{mutex_};
    all_.insert_or_assign(number, std::move(what));
  }

  std::optional<outcome> take(std::uint64_t number) {
    const std::scoped_lock guard{mutex_};
    auto node = all_.extract(number);
    if (node.empty())
      return std::nullopt;
    return std::move(node.mapped());
  }

private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, outcome> all_;
};

/// What an actor is told of an answer.
outcome outcome_of(const codec::packet& answer) {
  const auto body = answer.body().subspan(held::answer_room);
  codec::decoder from{body, {}, "an answer"};
  outcome result;
  switch (from.load<held::answer_kind>()) {
    case held::answer_kind::value:
      result.result.emplace(
        bundle{body.last(from.left()), codec::objects_of(answer)});
      break;
    case held::answer_kind::timed_out:
      result.failure = transport::make_error(
        errc::timed_out, "the object was not ready within the limit");
      break;
    default: {
      const auto thrown = from.load<calls::failure>();
      result.failure = transport::make_error(
        thrown.code, thrown.code == errc::remote_exception
                       ? thrown.description()
                       : thrown.full_text());
    }
  }
  return result;
}

/// Where the answer to a message goes: at once what `take` finds, and of a call
/// that waits, by a message to the actor, when the table is done with it.
class actor_route final : public held::answer_route {
public:
  actor_route(std::shared_ptr<outcomes> into, caf::actor to, client_id client,
              std::uint64_t number)
    : into_(std::move(into)),
      to_(std::move(to)),
      client_(client),
      number_(number) {
  }
  actor_route(const actor_route&) = default;
  actor_route& operator=(const actor_route&) = delete;

  ~actor_route() override {
    if (!kept_)
      return;
    if (!sent_)
      into_->put(number_, {});
    transport::version::send_anonymously(caf::actor_cast<state_actor>(to_),
                                         answered_atom_v, number_);
  }

  [[nodiscard]] client_id client() const noexcept override {
    return client_;
  }

  [[nodiscard]] std::uint64_t call() const noexcept override {
    return number_;
  }

  [[nodiscard]] bool is_alive() const noexcept override {
    return hosting::is_alive(client_);
  }

  /// As handles: who gets the answer may pass it on.
  [[nodiscard]] held::wire* coding() noexcept override {
    return nullptr;
  }

  void send(codec::packet& answer) noexcept override {
    try {
      into_->put(number_, outcome_of(answer));
    } catch (const error& failure) {
      into_->put(number_, {std::nullopt, transport::to_caf(failure)});
    }
    answer.clear();
    sent_ = true;
  }

  [[nodiscard]] std::unique_ptr<held::answer_route> keep() const override {
    auto kept = std::make_unique<actor_route>(*this);
    kept->kept_ = true;
    return kept;
  }

private:
  std::shared_ptr<outcomes> into_;
  caf::actor to_;
  client_id client_;
  std::uint64_t number_;
  bool kept_ = false;
  bool sent_ = false;
};

/// The number of calls by message begins where nobody else's does.
constexpr std::uint64_t first_number = 1ULL << 62;

struct desk {
  static inline const char* name = "troupe.state";

  state_actor::stateful_pointer<desk> self = nullptr;
  std::shared_ptr<outcomes> done = std::make_shared<outcomes>();
  struct waiting {
    caf::typed_response_promise<answer> promise;
    /// Kept until then: perhaps by nobody else.
    std::shared_ptr<held::target> object;
  };
  std::unordered_map<std::uint64_t, waiting> open;
  std::uint64_t last = first_number;

  caf::result<answer> execute(const call& what) {
    auto& objects = held::table::here();
    const auto sender
      = caf::actor_cast<caf::strong_actor_ptr>(self->current_sender());
    const auto process = sender ? transport::process_of(sender->nid)
                                : std::nullopt;
    if (!process)
      return transport::make_error(errc::invalid_argument,
                                   "the sender is no actor of this run");
    std::shared_ptr<held::target> object;
    try {
      object = object_of(what, objects);
    } catch (const error& failure) {
      return transport::to_caf(failure);
    }
    objects.remember(process->packed());
    const auto number = ++last;
    actor_route route{done, caf::actor_cast<caf::actor>(self->address()),
                      process->packed(), number};
    codec::packet request;
    codec::encoder to{request};
    to.save(held::call_head{{},
                            object ? object->number() : held::the_state,
                            what.operation,
                            what.limit});
    to.write(what.arguments.bytes().data(), what.arguments.bytes().size());
    request.carry(what.arguments.objects());
    objects.execute(std::move(request), route);
    if (auto now = done->take(number))
      return now->result ? caf::result<answer>{std::move(*now->result)}
                         : caf::result<answer>{std::move(now->failure)};
    auto promise = self->make_response_promise<answer>();
    open.emplace(number, waiting{promise, std::move(object)});
    return promise;
  }

  void finish(std::uint64_t number) {
    auto outcome = done->take(number);
    if (!outcome)
      return;
    auto node = open.extract(number);
    if (node.empty())
      return;
    if (outcome->result)
      node.mapped().promise.deliver(std::move(*outcome->result));
    else if (outcome->failure)
      node.mapped().promise.deliver(std::move(outcome->failure));
  }

private:
  /// The object that is called; none for the state itself.
  static std::shared_ptr<held::target> object_of(const call& what,
                                                 held::table& objects) {
    if (what.object.bytes().empty())
      return nullptr;
    auto object = what.object.get<held::untyped>().object();
    if (object->via() != objects.inside())
      throw invalid_argument("call a held object by message",
                             "another state holds it",
                             "send the call to the actor of its state");
    return object;
  }
};

state_actor::behavior_type
serve_messages(runtime::service<state_actor::stateful_pointer<desk>> self) {
  transport::version::state_of(self).self = self;
  return {
    [self](const call& what) {
      return transport::version::state_of(self).execute(what);
    },
    [](query_atom) -> caf::result<std::uint64_t> {
      return held::table::here().size();
    },
    [self](answered_atom, std::uint64_t number) -> caf::result<void> {
      transport::version::state_of(self).finish(number);
      return caf::unit;
    },
  };
}

/// The actor of this process's state.
class the_actor {
public:
  static the_actor& here() {
    // Never destroyed: actors may end after static objects.
    static auto& only = *new the_actor;
    return only;
  }

  [[nodiscard]] state_actor find_or_make() {
    std::unique_lock guard{mutex_};
    if (now_)
      return now_;
    const auto made = now_ = actor_system().spawn(serve_messages);
    if (!std::exchange(registered_, true))
      held::table::here().at_end([this] { end(); });
    guard.unlock();
    // However it ends, the next to ask makes another one.
    made->attach_functor([this, id = made->id()] { forget(id); });
    return made;
  }

private:
  void forget(caf::actor_id which) {
    const std::scoped_lock guard{mutex_};
    if (now_ && now_->id() == which)
      now_ = nullptr;
  }

  void end() {
    std::unique_lock guard{mutex_};
    const auto ending = std::exchange(now_, nullptr);
    guard.unlock();
    if (!ending)
      return;
    runtime::let_end(ending->id());
    caf::scoped_actor self{actor_system()};
    self->send_exit(ending, caf::exit_reason::user_shutdown);
    self->wait_for(ending);
  }

  std::mutex mutex_;
  state_actor now_;
  bool registered_ = false;
};

/// Runs in the state's process.
state_actor find_or_make() {
  return the_actor::here().find_or_make();
}

} // namespace

state_actor actor_of(const state& of) {
  return of.run<&find_or_make>();
}

} // namespace troupe
