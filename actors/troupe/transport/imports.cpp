// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/imports.hpp>

#include <troupe/transport/node.hpp>
#include <troupe/transport/proxy.hpp>

#include <caf/default_attachable.hpp>
#include <caf/make_actor.hpp>

#include <future>

namespace troupe::transport {

namespace {

/// Hangs one chain of what waits behind another.
void append(caf::attachable_ptr& to, caf::attachable_ptr chain) {
  auto* at = &to;
  while (*at != nullptr)
    at = &(*at)->next;
  *at = std::move(chain);
}

/// Calls what waits for an end.
void tell(caf::attachable* first, const caf::error& why) {
  for (auto* each = first; each != nullptr; each = each->next.get())
    each->actor_exited(why, nullptr);
}

proxy& as_proxy(const caf::strong_actor_ptr& actor) {
  return *static_cast<proxy*>(actor->get());
}

} // namespace

caf::strong_actor_ptr imports::obtain(actor_name of, origin from) {
  const auto home = node_.peer_of(of.process);
  caf::strong_actor_ptr made;
  std::vector<std::shared_ptr<void>> told;
  {
    const std::scoped_lock held{mutex_};
    auto& entry = entries_[key_of(of)];
    if (from == origin::its_process) {
      entry.counted = true;
      told.swap(entry.told);
    }
    if (auto alive = entry.actor.lock())
      return alive;
    // The last handle of that one is gone just now.
    if (entry.actor)
      entry.going.push_back(entry.actor.get());
    caf::actor_config config;
    made = caf::make_actor<proxy, caf::strong_actor_ptr>(of.actor, home->name(),
                                                         &node_.system(),
                                                         config, node_, home);
    as_proxy(made).attached() = std::move(entry.waiting);
    entry.actor = caf::weak_actor_ptr{made.get()};
    entry.counted = from == origin::its_process;
    if (from == origin::elsewhere) {
      ++entry.unanswered;
      as_proxy(made).count(1);
    }
  }
  // While `made` is held, nobody can say before this that it is dropped.
  if (from == origin::elsewhere
      && !home->send_control(frame_kind::watch, {of.actor, 0, 0}))
    node_.receiver().post([this, of, why = home->failure()] {
      known(of);
      ended(of, node_.reason_in(of.process, of.actor, why));
    });
  return made;
}

caf::strong_actor_ptr imports::find(actor_name of) const {
  const std::scoped_lock held{mutex_};
  const auto at = entries_.find(key_of(of));
  return at == entries_.end() ? nullptr : at->second.actor.lock();
}

void imports::ended(actor_name of, const caf::error& why) {
  ending gone;
  {
    const std::scoped_lock held{mutex_};
    const auto at = entries_.find(key_of(of));
    if (at == entries_.end())
      return;
    gone = begin_end(std::move(at->second), why);
    entries_.erase(at);
  }
  end(std::move(gone), why);
}

void imports::process_ended(
  memory::slot_id process,
  const std::function<caf::error(caf::actor_id)>& why) {
  std::vector<std::pair<ending, caf::error>> gone;
  std::map<caf::actor_id, caf::error> reasons;
  for (;;) {
    std::vector<caf::actor_id> unexplained;
    {
      const std::scoped_lock held{mutex_};
      const auto first = entries_.lower_bound({process.packed(), 0});
      auto last = first;
      for (; last != entries_.end() && last->first.first == process.packed();
           ++last)
        if (!reasons.contains(last->first.second))
          unexplained.push_back(last->first.second);
      if (unexplained.empty()) {
        for (auto at = first; at != last; ++at) {
          auto& reason = reasons.at(at->first.second);
          gone.emplace_back(begin_end(std::move(at->second), reason), reason);
        }
        entries_.erase(first, last);
        break;
      }
    }
    // Not under the lock: it may read handles.
    for (const auto actor : unexplained)
      reasons.emplace(actor, why(actor));
  }
  for (auto& [each, reason] : gone)
    end(std::move(each), reason);
}

void imports::end_all(const caf::error& why) {
  std::vector<ending> gone;
  {
    const std::scoped_lock held{mutex_};
    for (auto& [name, each] : entries_)
      gone.push_back(begin_end(std::move(each), why));
    entries_.clear();
  }
  for (auto& each : gone)
    end(std::move(each), why);
}

void imports::unlink(actor_name of, const caf::strong_actor_ptr& local) {
  if (const auto remote = find(of))
    return as_proxy(remote).unlink_from_afar(local);
  const caf::default_attachable::observe_token what{
    local->address(), caf::default_attachable::link};
  caf::attachable_ptr unlinked;
  const std::scoped_lock held{mutex_};
  const auto found = entries_.find(key_of(of));
  if (found == entries_.end())
    return;
  for (auto* at = &found->second.waiting; *at != nullptr; at = &(*at)->next)
    if ((*at)->matches(what)) {
      unlinked = std::move(*at);
      *at = std::move(unlinked->next);
      return;
    }
}

void imports::dropped(actor_name of, const caf::actor_control_block* which,
                      caf::attachable_ptr waiting) {
  decltype(late_)::node_type late;
  const std::scoped_lock held{mutex_};
  if (late = late_.extract(which); !late.empty()) {
    // In whatever thread, and under whatever lock: the hub tells of it.
    if (waiting != nullptr)
      node_.receiver().post([why = std::move(late.mapped()),
                             all = std::shared_ptr<caf::attachable>{
                               std::move(waiting)}] { tell(all.get(), why); });
    return;
  }
  const auto at = entries_.find(key_of(of));
  if (at == entries_.end())
    return;
  // There may be another proxy by now.
  std::erase(at->second.going, which);
  if (at->second.actor.get() == which)
    at->second.actor = nullptr;
  append(at->second.waiting, std::move(waiting));
  if (!at->second.needed())
    entries_.erase(at);
}

bool imports::waits(actor_name of) const {
  const std::scoped_lock held{mutex_};
  const auto at = entries_.find(key_of(of));
  return at != entries_.end() && at->second.waiting != nullptr;
}

bool imports::await_known(actor_name of, deadline limit) {
  const auto answered = std::make_shared<std::promise<void>>();
  auto answer = answered->get_future();
  when_known({of}, [answered] { answered->set_value(); });
  return answer.wait_until(limit.when()) == std::future_status::ready;
}

void imports::when_known(const std::vector<actor_name>& actors,
                         std::function<void()> then) {
  // Whoever lets go of it last calls `then`.
  const std::shared_ptr<void> last{nullptr, [then = std::move(then)](
                                              const void*) { then(); }};
  const std::scoped_lock held{mutex_};
  for (const auto& each : actors)
    if (const auto at = entries_.find(key_of(each));
        at != entries_.end() && !at->second.known())
      at->second.told.push_back(last);
}

void imports::known(actor_name of) {
  std::vector<std::shared_ptr<void>> told;
  const std::scoped_lock held{mutex_};
  const auto at = entries_.find(key_of(of));
  if (at == entries_.end() || at->second.unanswered == 0)
    return;
  if (--at->second.unanswered == 0)
    told.swap(at->second.told);
  if (!at->second.needed())
    entries_.erase(at);
}

std::size_t imports::size() const {
  const std::scoped_lock held{mutex_};
  return entries_.size();
}

/// Under the lock: what waits for the end of a proxy that is being destroyed at
/// this moment comes by `dropped`, and has to be told as well.
imports::ending imports::begin_end(entry which, const caf::error& why) {
  ending result;
  result.proxy = which.actor.lock();
  if (which.actor && !result.proxy)
    which.going.push_back(which.actor.get());
  for (const auto* each : which.going)
    late_.emplace(each, why);
  result.rest = std::move(which);
  return result;
}

void imports::end(ending what, const caf::error& why) {
  if (what.proxy)
    as_proxy(what.proxy).end(why);
  tell(what.rest.waiting.get(), why);
}

} // namespace troupe::transport
