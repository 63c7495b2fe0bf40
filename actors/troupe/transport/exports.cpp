// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/exports.hpp>

#include <troupe/transport/actor_ends.hpp>
#include <troupe/transport/caf_version.hpp>

#include <algorithm>
#include <utility>

namespace troupe::transport {

exports::exports(caf::actor_system& system, releaser release, teller tell,
                 std::shared_ptr<actor_ends> ends)
  : system_(system),
    release_(std::move(release)),
    tell_(std::move(tell)),
    ends_(std::move(ends)) {
}

bool exports::note(const caf::strong_actor_ptr& actor) {
  {
    const lock held{mutex_};
    const auto [at, fresh] = entries_.try_emplace(actor->aid);
    if (!fresh) {
      // Only what stands for an actor of another machine has more than one
      // life.
      if (at->second.actor.get() != actor.get())
        at->second.actor = caf::weak_actor_ptr{actor.get()};
      return true;
    }
    at->second.actor = caf::weak_actor_ptr{actor.get()};
  }
  // Not under the lock: of an actor that has ended it is called at once.
  actor->get()->attach_functor(
    [own = weak_from_this(), id = actor->aid](const caf::error& why) {
      if (const auto all = own.lock())
        all->ended(id, why);
    });
  const lock held{mutex_};
  return entries_.contains(actor->aid);
}

bool exports::forget(caf::actor_id actor) {
  const lock held{mutex_};
  const auto at = entries_.find(actor);
  if (at == entries_.end() || !at->second.holders.empty())
    return false;
  entries_.erase(at);
  return true;
}

caf::strong_actor_ptr exports::find(caf::actor_id actor) const {
  const lock held{mutex_};
  const auto at = entries_.find(actor);
  return at == entries_.end() ? nullptr : at->second.actor.lock();
}

/// Has CAF's registry keep the actor alive. The caller refers to it.
void exports::enter(entry& which) {
  if (which.entered)
    return;
  if (auto actor = which.actor.lock()) {
    system_.registry().put(actor->aid, actor);
    // `ended` takes it out, after its reason was noted.
    version::forget_registry(system_, actor);
    which.entered = true;
  }
}

bool exports::hold(memory::slot_id process, caf::actor_id actor) {
  const lock held{mutex_};
  const auto at = entries_.find(actor);
  if (at == entries_.end())
    return false;
  auto& holders = at->second.holders;
  const auto packed = process.packed();
  auto found = std::ranges::find(holders, packed, &holder::process);
  if (found == holders.end())
    found = holders.insert(holders.end(), {packed, false, false});
  found->holds = true;
  enter(at->second);
  return true;
}

void exports::release(memory::slot_id process, caf::actor_id actor,
                      bool watches) {
  const lock held{mutex_};
  const auto at = entries_.find(actor);
  if (at == entries_.end())
    return;
  auto& holders = at->second.holders;
  const auto found = std::ranges::find(holders, process.packed(),
                                       &holder::process);
  if (found == holders.end())
    return;
  found->holds = false;
  found->watches = watches;
  if (!watches)
    holders.erase(found);
  doubtful_.push_back(actor);
  has_doubtful_.store(true, std::memory_order_relaxed);
}

std::vector<caf::actor_id> exports::take_doubtful() {
  const lock held{mutex_};
  has_doubtful_.store(false, std::memory_order_relaxed);
  return std::exchange(doubtful_, {});
}

bool exports::knows(memory::slot_id process) const {
  const lock held{mutex_};
  return std::ranges::any_of(entries_, [&](const auto& each) {
    return std::ranges::find(each.second.holders, process.packed(),
                             &holder::process)
           != each.second.holders.end();
  });
}

void exports::process_gone(memory::slot_id process) {
  std::vector<caf::actor_id> held_by_it;
  {
    const lock held{mutex_};
    for (auto& [actor, which] : entries_)
      if (std::erase_if(which.holders,
                        [&](const holder& each) {
                          return each.process == process.packed();
                        })
          != 0)
        held_by_it.push_back(actor);
  }
  for (const auto actor : held_by_it) {
    lock held{mutex_};
    leave_unless_needed(held, actor);
  }
  // It may have taken a name away, and died before it could tell.
  names_changed();
}

bool exports::lend(caf::actor_id actor) {
  const lock held{mutex_};
  const auto at = entries_.find(actor);
  if (at == entries_.end())
    return false;
  ++at->second.lent;
  enter(at->second);
  return true;
}

void exports::unlend(caf::actor_id actor) {
  lock held{mutex_};
  if (const auto at = entries_.find(actor);
      at != entries_.end() && at->second.lent != 0) {
    --at->second.lent;
    leave_unless_needed(held, actor);
  }
}

void exports::keep(const caf::strong_actor_ptr& actor) {
  if (!note(actor))
    return;
  const lock held{mutex_};
  if (const auto at = entries_.find(actor->aid); at != entries_.end()) {
    at->second.kept = true;
    enter(at->second);
  }
}

void exports::shared_by(std::function<bool(caf::actor_id)> is_shared) {
  const lock held{mutex_};
  is_shared_ = std::move(is_shared);
}

void exports::shared(caf::actor_id actor) {
  const lock held{mutex_};
  if (const auto at = entries_.find(actor); at != entries_.end())
    enter(at->second);
}

void exports::look_again(caf::actor_id actor) {
  lock held{mutex_};
  leave_unless_needed(held, actor);
}

void exports::named(caf::actor_id actor) {
  lock held{mutex_};
  const auto at = entries_.find(actor);
  if (at == entries_.end())
    return;
  enter(at->second);
  // The name may be gone already, and nobody would ask again.
  leave_unless_needed(held, actor);
}

void exports::names_changed() {
  std::vector<caf::actor_id> named;
  {
    const lock held{mutex_};
    for (auto& [actor, which] : entries_)
      if (std::exchange(which.named, false))
        named.push_back(actor);
  }
  for (const auto actor : named) {
    lock held{mutex_};
    leave_unless_needed(held, actor);
  }
}

void exports::named_by(std::function<bool(caf::actor_id)> is_named) {
  const lock held{mutex_};
  is_named_ = std::move(is_named);
}

std::size_t exports::size() const {
  const lock held{mutex_};
  return entries_.size();
}

std::size_t exports::holders() const {
  const lock held{mutex_};
  std::size_t count = 0;
  for (const auto& [actor, which] : entries_)
    count += which.holders.size();
  return count;
}

/// Lets go of an actor that nobody outside refers to.
void exports::leave_unless_needed(lock& held, caf::actor_id actor) {
  const auto needed = [&] {
    const auto at = entries_.find(actor);
    return at == entries_.end() || !at->second.entered || at->second.kept
           || at->second.lent != 0
           || std::ranges::any_of(at->second.holders, &holder::holds)
           || (is_shared_ && is_shared_(actor));
  };
  if (needed())
    return;
  if (is_named_) {
    // Set before the names are read: a change afterwards asks again.
    entries_.at(actor).named = true;
    const auto ask = is_named_;
    held.unlock();
    const auto named = ask(actor);
    held.lock();
    if (named || needed())
      return;
    entries_.at(actor).named = false;
  }
  auto& which = entries_.at(actor);
  auto share = which.actor.lock();
  which.entered = false;
  // The lock is held so that nobody enters it in between.
  system_.registry().erase(actor);
  held.unlock();
  if (share)
    release_(std::move(share));
  held.lock();
}

void exports::ended(caf::actor_id actor, const caf::error& why) {
  std::vector<holder> holders;
  {
    const lock held{mutex_};
    const auto at = entries_.find(actor);
    if (at == entries_.end())
      return;
    holders = std::move(at->second.holders);
    // Before the actor is unknown: whoever finds it so looks for the reason.
    ends_->end(actor, why);
    entries_.erase(at);
  }
  system_.registry().erase(actor);
  for (const auto& each : holders)
    tell_(each.process, actor, why);
}

} // namespace troupe::transport
