// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/asked_machine.hpp>

#include <troupe/base/error.hpp>
#include <troupe/machines/gateway.hpp>
#include <troupe/machines/offered_service.hpp>
#include <troupe/machines/remote_call.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/spawn_options.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

namespace troupe::machines {

namespace {

using handles = std::vector<caf::strong_actor_ptr>;

/// A call that this process has asked for.
class asked_call final : public remote_call {
public:
  explicit asked_call(std::string machine)
    : remote_call(std::move(machine), 0) {
  }

  /// Its number at the service, when that has taken it.
  // seq_cst, a number alone: set in `start`, read in `signal`; relaxed would
  // do.
  std::atomic<std::uint64_t> id{0};
};

/// The asker of one call: it hears what became of it, and its end, with its
/// process, ends the call. It holds itself until then.
caf::behavior hear(caf::event_based_actor* self,
                   const std::shared_ptr<asked_call>& of) {
  const auto held = caf::actor_cast<caf::strong_actor_ptr>(self);
  return {
    [self, of, held](caf::update_atom, const std::string& what,
                     const handles& named) {
      try {
        auto note = from_text<outcome_note>(what);
        auto actors = put_together(note.places, named);
        of->end(std::move(note.ended), std::move(actors), 0);
      } catch (const error& failure) {
        of->lose(failure.what());
      }
      self->quit();
      return caf::ok_atom_v;
    },
    [self, of](caf::close_atom, const std::string& why) {
      of->lose(why);
      self->quit();
    },
  };
}

/// What the service has answered to a request; throws its failure.
template <class Result, class Response>
Result answer_of(Response response, const std::string& attempted,
                 const std::string& who) {
  Result result{};
  caf::error failure;
  std::move(response).receive([&](Result& given) { result = std::move(given); },
                              [&](caf::error& why) {
                                failure = std::move(why);
                              });
  if (!failure)
    return result;
  throw_answer(failure, attempted, who);
}

} // namespace

machine_list ask_for_list(std::string_view attempted) {
  const auto service = find_service(attempted);
  caf::scoped_actor self{actor_system()};
  return from_text<machine_list>(answer_of<std::string>(
    transport::version::request(self, service, caf::get_atom_v),
    std::string{attempted}, "the lead"));
}

std::optional<machine_list> ask_to_wait(std::string_view attempted,
                                        const wished& what, deadline limit) {
  const auto service = find_service(attempted);
  caf::scoped_actor self{actor_system()};
  const auto patience = limit.is_never() ? caf::timespan{caf::infinite}
                                         : caf::timespan{limit.left()};
  try {
    return from_text<machine_list>(answer_of<std::string>(
      transport::version::request_within(self, patience, service,
                                         caf::wait_for_atom_v, as_text(what)),
      std::string{attempted}, "the lead"));
  } catch (const error&) {
    if (!limit.passed())
      throw;
    return std::nullopt;
  }
}

bool asked_machine::is_there() const {
  const auto now = ask_for_list("ask whether machine " + name() + " is there");
  return std::any_of(now.there.begin(), now.there.end(),
                     [&](const auto& each) { return each.number == number(); });
}

std::shared_ptr<remote_call> asked_machine::start(start_order what,
                                                  const placed_actors& actors) {
  const auto attempted = "start a process on machine " + name();
  const auto service = find_service(attempted);
  auto& system = actor_system();
  const auto call = std::make_shared<asked_call>(name());
  const auto asker = system.spawn<caf::hidden>(hear, call);
  caf::scoped_actor self{system};
  try {
    call->id = answer_of<std::uint64_t>(
      transport::version::request(
        self, service, caf::open_atom_v,
        as_text(start_request{number(), std::move(what), places_of(actors)}),
        actors_of(actors), asker),
      attempted, "the lead");
  } catch (...) {
    transport::version::send_anonymously(asker, caf::close_atom_v,
                                         std::string{});
    throw;
  }
  return call;
}

caf::strong_actor_ptr asked_machine::spawn(spawn_order what,
                                           const placed_actors& actors) {
  const auto attempted = "make an actor on machine " + name();
  const auto service = find_service(attempted);
  caf::scoped_actor self{actor_system()};
  return answer_of<caf::strong_actor_ptr>(
    transport::version::request(self, service, caf::spawn_atom_v,
                                as_text(spawn_request{number(), std::move(what),
                                                      places_of(actors)}),
                                actors_of(actors)),
    attempted, "the maker of an actor on machine " + name());
}

void asked_machine::signal(const remote_call& to, std::int32_t number) {
  transport::version::send_anonymously(
    find_service("signal a process on machine " + name()), caf::update_atom_v,
    static_cast<const asked_call&>(to).id.load(), number);
}

} // namespace troupe::machines
