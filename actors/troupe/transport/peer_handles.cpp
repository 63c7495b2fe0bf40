// SPDX-License-Identifier: BSL-1.0

// Control frames, and the handles of actors that messages carry.

#include <troupe/transport/byte_writer.hpp>
#include <troupe/transport/dead_letters.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/peer.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe::transport {

namespace {

std::vector<std::byte> bytes_of(actor_pair what) {
  std::vector<std::byte> body(sizeof what);
  std::memcpy(body.data(), &what, sizeof what);
  return body;
}

} // namespace

/// What a message that was written carries. Not under the lock: an actor of
/// ours may have ended, and that is told to those who know it, this peer
/// perhaps.
peer::loan peer::loan_of(byte_writer& written,
                         const caf::strong_actor_ptr& third) const {
  loan result;
  result.objects.swap(written.objects());
  if (third)
    result.actors.push_back(third);
  for (const auto& each : written.actors())
    if (each.process == node_.self()) {
      if (const auto actor = node_.local(each.actor);
          actor && node_.exported()->note(actor)) {
        node_.exported()->lend(each.actor);
        result.own.push_back(each.actor);
      }
    } else if (each.process != process_) {
      // Empty where the message has only the address of an actor.
      if (auto actor = node_.imported().find(each))
        result.actors.push_back(std::move(actor));
    }
  return result;
}

void peer::end_loan(loan what) const {
  for (const auto each : what.own)
    node_.exported()->unlend(each);
}

/// Holds what a message carries. Returns the number to write behind it.
std::uint64_t peer::lend(loan what) {
  lent_.emplace(++last_loan_, std::move(what));
  return last_loan_;
}

/// Counts one more handle of an actor of ours that goes there. False if the
/// actor has ended. Under the lock.
bool peer::count(caf::actor_id ours) {
  if (ours != last_sent_) {
    const auto [at, fresh] = sent_.try_emplace(ours, 0);
    if (fresh && !node_.exported()->hold(process_, ours)) {
      sent_.erase(at);
      return false;
    }
    last_sent_ = ours;
    last_count_ = &at->second;
  }
  ++*last_count_;
  return true;
}

bool peer::count_handle(caf::actor_id ours) {
  const lock held{mutex_};
  return !failed() && count(ours);
}

void peer::give_back(caf::actor_id ours, std::uint64_t handles, bool watches) {
  {
    const lock held{mutex_};
    const auto at = sent_.find(ours);
    if (at == sent_.end())
      return;
    // No process gives back more than it got; one that says so is believed no
    // more than that.
    at->second -= std::min(handles, at->second);
    if (at->second != 0)
      return;
    sent_.erase(at);
    last_sent_ = 0;
    // Under the lock, so that it is not counted anew in between; the actor's
    // end comes later, in the hub.
    node_.exported()->release(process_, ours, watches);
  }
}

/// The actor had ended before it was counted: tells why.
void peer::tell_end_of(const caf::strong_actor_ptr& ours) {
  ours->get()->attach_functor([this, ended = ours->aid](const caf::error& why) {
    send_down(ended, why);
  });
}

void peer::take_back(std::uint64_t number) {
  // The objects may end with it, which takes its time.
  decltype(lent_)::node_type ended;
  bool done = false;
  {
    const lock held{mutex_};
    ended = lent_.extract(number);
    done = idle();
  }
  if (!ended.empty())
    end_loan(std::move(ended.mapped()));
  if (done)
    room_.notify_all();
}

bool peer::has_loans() const {
  const lock held{mutex_};
  return !lent_.empty();
}

void peer::end_loans() {
  decltype(lent_) lent;
  {
    const lock held{mutex_};
    lent.swap(lent_);
  }
  for (auto& [number, each] : lent)
    end_loan(std::move(each));
}

bool peer::send_control(frame_kind kind, actor_pair what) {
  lock held{mutex_};
  return put(held, {kind, 0}, bytes_of(what), true);
}

void peer::send_dropped(actor_pair what) {
  lock held{mutex_};
  static_cast<void>(put(held, {frame_kind::dropped, 0}, bytes_of(what), false));
}

void peer::send_link(caf::actor_id target, const caf::strong_actor_ptr& local) {
  node_.export_actor(local);
  bool ended = false;
  {
    lock held{mutex_};
    if (failed())
      return;
    ended = !count(local->aid);
    static_cast<void>(put(held, {frame_kind::link, 0},
                          bytes_of({target, local->aid, 0}), true));
  }
  if (ended)
    tell_end_of(local);
}

void peer::send_down(caf::actor_id ended, const caf::error& reason) {
  std::vector<std::byte> body;
  byte_writer sink{&node_.system(), body, sizeof(actor_pair)};
  if (!sink.apply(reason))
    return;
  body.resize(sink.written());
  // Nobody counts handles in a reason.
  for (const auto& each : sink.actors())
    if (const auto actor = each.process == node_.self()
                             ? node_.local(each.actor)
                             : node_.imported().find(each))
      node_.keep(actor);
  const actor_pair what{ended, 0, 0};
  std::memcpy(body.data(), &what, sizeof what);
  bool sent = false;
  {
    lock held{mutex_};
    sent_.erase(ended);
    last_sent_ = 0;
    // It overtakes messages of the actor, which make it known there once more:
    // then it is said behind these as well.
    std::vector<std::byte> again;
    if (outgoing_ && !outgoing_->idle())
      again = body;
    sent = put(held, {frame_kind::down, 0}, std::move(body), true);
    if (sent && !again.empty()) {
      held.lock();
      static_cast<void>(
        put(held, {frame_kind::down, 0}, std::move(again), false));
    }
  }
  if (!sent && !failed())
    report_dead_letter({ended, nullptr, {}, "nobody can be told of its end"});
}

} // namespace troupe::transport
