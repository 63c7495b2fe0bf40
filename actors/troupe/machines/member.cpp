// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/member.hpp>

#include <troupe/base/error.hpp>
#include <troupe/machines/lead.hpp>
#include <troupe/machines/lead_service.hpp>

#include <algorithm>
#include <utility>

namespace troupe::machines {

namespace {

/// The order of what the lead says that is not as long as a call's arguments.
constexpr std::uint64_t short_orders = 0;

[[noreturn]] void refuse(std::string_view why) {
  throw malformed_bytes("read a message of a machine", why);
}

} // namespace

member::member(lead& of, std::weak_ptr<network::carrier> by,
               std::string address)
  : lead_(of), by_(std::move(by)), address_(std::move(address)) {
}

member::stage member::current_stage() const {
  const std::scoped_lock guard{mutex_};
  return stage_;
}

std::string member::reason() const {
  const std::scoped_lock guard{mutex_};
  return reason_;
}

void member::enter(std::string name, std::uint64_t number) {
  const std::scoped_lock guard{mutex_};
  name_ = std::move(name);
  number_ = number;
  stage_ = stage::there;
}

void member::require_there(const std::string& attempted, bool new_there) const {
  if (stage_ == stage::gone)
    throw machine_lost(attempted, "it is not there any more: " + reason_,
                       "take another of machines::list(), or wait for one");
  if (new_there && stage_ == stage::leaving)
    throw cancelled(attempted,
                    "it has been asked to end, and takes nothing "
                    "new",
                    "take another of machines::list(), or wait for one");
}

std::shared_ptr<gateway> member::actors(const std::string& attempted,
                                        bool new_there) {
  // Not under the lock: it makes the process's actor system.
  static_cast<void>(transport::node::require());
  const std::scoped_lock guard{mutex_};
  require_there(attempted, new_there);
  if (actors_)
    return actors_;
  gateway::duties does;
  does.takes = [weak = weak_from_this()](const bytes& message,
                                         placed_actors given) {
    if (const auto of = weak.lock())
      of->take(message, std::move(given));
  };
  does.serves = [] { return service_of_lead(); };
  actors_ = gateway::make("machine " + name_,
                          {[weak = weak_from_this()](const bytes& message,
                                                     std::uint64_t stream,
                                                     bool behind_all) {
                             if (const auto of = weak.lock())
                               of->send(message, stream, behind_all);
                           },
                           [by = by_] {
                             const auto of = by.lock();
                             return of ? of->waiting() : std::size_t{0};
                           }},
                          std::move(does));
  return actors_;
}

caf::strong_actor_ptr member::spawn(spawn_order what,
                                    const placed_actors& given) {
  return actors("make an actor on machine " + name_, true)
    ->spawn(std::move(what), given);
}

std::shared_ptr<remote_call> member::start(start_order what,
                                           const placed_actors& given) {
  const auto attempted = "start a process on machine " + name_;
  // Only handles of actors need a gateway.
  const auto by = given.empty() ? nullptr : actors(attempted, true);
  std::shared_ptr<remote_call> made;
  {
    const std::scoped_lock guard{mutex_};
    require_there(attempted);
    what.number = ++next_call_;
    made = std::make_shared<remote_call>(name_, what.number);
    calls_.emplace(what.number, made);
  }
  try {
    // Each in its own stream, so that a long one delays no other.
    auto order = message(message_kind::start, what);
    if (by)
      by->carry(std::move(order), given, what.number, false);
    else
      send(order, what.number);
  } catch (...) {
    const std::scoped_lock guard{mutex_};
    calls_.erase(what.number);
    throw;
  }
  return made;
}

void member::signal(const remote_call& to, std::int32_t number) {
  // Behind what has the process started.
  const auto call = to.number();
  send(message(message_kind::signal, signal_order{call, number}), call);
}

bool member::wait_for_lines(std::uint64_t number, deadline limit) const {
  return lead_.lines().wait(number, limit);
}

void member::send(const bytes& message, std::uint64_t stream, bool behind_all) {
  if (const auto by = by_.lock())
    by->send({++tags_, stream, message, false, behind_all});
}

void member::received(network::arrival& what) {
  if (kind_of(what.content()) != message_kind::actors)
    return take(what.content());
  if (current_stage() == stage::stranger)
    refuse("it has not introduced itself");
  actors("hear of actors on machine " + name_, false)->take(what.take());
}

void member::take_end(ended_note note, placed_actors actors) {
  std::shared_ptr<remote_call> call;
  {
    const std::scoped_lock guard{mutex_};
    const auto found = calls_.find(note.number);
    if (found == calls_.end())
      refuse("it tells of the end of a process that nobody has started");
    call = std::move(found->second);
    calls_.erase(found);
  }
  call->end(std::move(note), std::move(actors), lead_.lines().begun());
}

void member::take(bytes_view message, placed_actors actors) {
  const auto kind = kind_of(message);
  const bool known = current_stage() != stage::stranger;
  if (known == (kind == message_kind::introduction))
    refuse(known ? "it has introduced itself twice"
                 : "it has not introduced itself");
  switch (kind) {
    case message_kind::introduction: return introduced(message.subspan(1));
    case message_kind::ended:
      return take_end(content_of<ended_note>(message), std::move(actors));
    case message_kind::output: {
      const auto note = content_of<output_note>(message);
      if (note.stream != 1 && note.stream != 2)
        refuse("it has written to neither standard output nor error");
      const auto size = note.lines.size();
      return lead_.lines().print(
        note.stream, name_ + "│ ", note.lines, [weak = weak_from_this(), size] {
          if (const auto of = weak.lock())
            of->send(machines::message(message_kind::printed,
                                       printed_note{size}),
                     short_orders);
        });
    }
    case message_kind::leaving: {
      {
        const std::scoped_lock guard{mutex_};
        stage_ = std::max(stage_, stage::leaving);
      }
      return lead_.is_leaving(*this);
    }
    case message_kind::left: {
      {
        const std::scoped_lock guard{mutex_};
        left_ = true;
      }
      return close();
    }
    default: refuse("it gives orders to the lead");
  }
}

void member::introduced(bytes_view content) {
  said_ = read_introduction(content);
  lead_.decide(shared_from_this());
}

void member::answer(const verdict& what) {
  send(raw_message(message_kind::verdict, to_bytes(what)), short_orders);
  // Behind the answer.
  if (what.why != refusal::none)
    close();
}

void member::close() noexcept {
  if (const auto by = by_.lock())
    by->close();
}

void member::lost(const network::loss& why) noexcept {
  const bool left = [this] {
    const std::scoped_lock guard{mutex_};
    return left_;
  }();
  std::map<std::uint64_t, std::shared_ptr<remote_call>> calls;
  std::shared_ptr<gateway> actors;
  bool was_there = false;
  const auto reason = left ? std::string{"it was asked to end, and has left"}
                           : why.text;
  {
    const std::scoped_lock guard{mutex_};
    was_there = stage_ != stage::stranger && stage_ != stage::gone;
    stage_ = stage::gone;
    reason_ = reason;
    calls.swap(calls_);
    actors.swap(actors_);
  }
  // First: who hears of a lost call may end the program.
  if (was_there)
    lead_.is_gone(shared_from_this(), left, reason);
  for (const auto& [number, call] : calls)
    call->lose(reason);
  if (actors)
    actors->lose(reason);
}

} // namespace troupe::machines
