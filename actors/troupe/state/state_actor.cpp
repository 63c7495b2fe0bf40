// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state_actor.hpp>

#include <troupe/base/error.hpp>
#include <troupe/process/table.hpp>
#include <troupe/runtime/actor_system.hpp>
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

namespace held {

void number_wire::save(codec::encoder& to, const target& object) {
  if (object.via() != via_)
    throw invalid_argument("call a held object by message",
                           "an argument is a proxy of another state's object",
                           "send a copy of the object");
  if (auto* own = table::find(); own != nullptr && own->inside() == via_)
    throw invalid_argument("answer a call by message", "the result is a proxy",
                           "use the proxy's own call_async");
  to.save(object.number());
}

std::shared_ptr<target> number_wire::load(codec::decoder& from) {
  return table::here().target_of(from.load<object_number>());
}

void number_wire::require_no_handles(const codec::packet& arguments) {
  if (!arguments.handles().empty())
    throw invalid_argument("call a held object by message",
                           "an argument is a handle of something in the run",
                           "use the proxy's own call_async");
}

} // namespace held

namespace {

using held::answer;
using held::call;
using held::client_id;

/// What was answered, on its way to the actor. Any thread.
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

/// Reads an answer's bytes into what an actor is told.
class outcome_reader final : public held::answer_reader {
public:
  void read(bytes_view body, std::span<const memory::offset>) override {
    codec::decoder from{body, {}, "an answer"};
    switch (from.load<held::answer_kind>()) {
      case held::answer_kind::value:
        result.result.emplace();
        result.result->bytes.assign(
          reinterpret_cast<const char*>(body.data()) + 1, body.size() - 1);
        break;
      case held::answer_kind::timed_out:
        result.failure = transport::make_error(
          errc::timed_out, "the object was not ready within the limit");
        break;
      default: {
        const auto code = from.load<errc>();
        const auto type = from.load<std::string>();
        const auto text = from.load<std::string>();
        result.failure = transport::make_error(code, type.empty()
                                                       ? text
                                                       : type + ": " + text);
      }
    }
  }

  outcome result;
};

class actor_route final : public held::answer_route {
public:
  actor_route(std::shared_ptr<outcomes> into, caf::actor to, client_id client,
              std::uint64_t number)
    : into_(std::move(into)),
      to_(std::move(to)),
      coding_(held::table::here().inside()),
      client_(client),
      number_(number) {
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

  [[nodiscard]] held::wire* coding() noexcept override {
    return &coding_;
  }

  void send(codec::packet& answer) noexcept override {
    if (!answer.handles().empty())
      held::encode_failure(
        answer, std::make_exception_ptr(invalid_argument(
                  "answer a call by message",
                  "the result holds a handle of something in the run")));
    outcome_reader reader;
    reader.read(answer.body().subspan(held::answer_room), {});
    into_->put(number_, std::move(reader.result));
    if (kept_)
      transport::version::send_anonymously(caf::actor_cast<state_actor>(to_),
                                           answered_atom_v, number_);
  }

  [[nodiscard]] std::unique_ptr<held::answer_route> keep() const override {
    auto kept = std::make_unique<actor_route>(*this);
    kept->kept_ = true;
    return kept;
  }

private:
  std::shared_ptr<outcomes> into_;
  caf::actor to_;
  held::number_wire coding_;
  client_id client_;
  std::uint64_t number_;
  bool kept_ = false;
};

/// The number of calls by message begins where nobody else's does.
constexpr std::uint64_t first_number = 1ULL << 62;

struct desk {
  static inline const char* name = "troupe.state";

  state_actor::stateful_pointer<desk> self = nullptr;
  std::shared_ptr<outcomes> done = std::make_shared<outcomes>();
  std::unordered_map<std::uint64_t, caf::typed_response_promise<answer>> open;
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
    objects.remember(process->packed());
    const auto number = ++last;
    actor_route route{done, caf::actor_cast<caf::actor>(self->address()),
                      process->packed(), number};
    codec::packet request;
    codec::encoder to{request};
    to.save(held::call_head{{}, what.object, what.operation, what.limit});
    to.write(what.arguments.data(), what.arguments.size());
    objects.execute(request.body(), {}, route);
    if (auto now = done->take(number))
      return now->result ? caf::result<answer>{std::move(*now->result)}
                         : caf::result<answer>{std::move(now->failure)};
    auto promise = self->make_response_promise<answer>();
    open.emplace(number, promise);
    return promise;
  }

  void finish(std::uint64_t number) {
    auto node = open.extract(number);
    auto outcome = done->take(number);
    if (node.empty() || !outcome)
      return;
    if (outcome->result)
      node.mapped().deliver(std::move(*outcome->result));
    else
      node.mapped().deliver(std::move(outcome->failure));
  }
};

state_actor::behavior_type
serve_messages(state_actor::stateful_pointer<desk> self) {
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

/// Runs in the state's process.
state_actor find_or_make() {
  static const auto mine = [] {
    auto made = actor_system().spawn(serve_messages);
    held::table::here().at_end([made] {
      caf::scoped_actor self{actor_system()};
      self->send_exit(made, caf::exit_reason::user_shutdown);
      self->wait_for(made);
    });
    return made;
  }();
  return mine;
}

} // namespace

state_actor actor_of(const state& of) {
  return of.run<&find_or_make>();
}

} // namespace troupe
