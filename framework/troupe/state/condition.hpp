// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/attempt.hpp>
#include <troupe/state/call_context.hpp>
#include <troupe/state/object.hpp>
#include <troupe/state/state.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>

namespace troupe::held {

/// Who waits for a condition, in their order: what a `held::condition` is a
/// handle of.
class condition_object {
public:
  /// Stands in the line from now on; returns its ticket.
  std::uint64_t enter(const call_context& by) {
    line_.emplace(++last_, place{by.client, false});
    return last_;
  }

  /// Waits until the ticket is notified.
  attempt<void> wait(std::uint64_t ticket) {
    const auto found = line_.find(ticket);
    if (found != line_.end() && !found->second.notified)
      return not_yet;
    if (found != line_.end())
      line_.erase(found);
    return {};
  }

  /// Gives a ticket up; returns whether it was notified.
  bool leave(std::uint64_t ticket) {
    const auto found = line_.find(ticket);
    const bool notified = found == line_.end() || found->second.notified;
    if (found != line_.end())
      line_.erase(found);
    return notified;
  }

  void notify(std::uint64_t count) {
    for (auto at = line_.begin(); at != line_.end() && count != 0; ++at)
      if (!at->second.notified) {
        at->second.notified = true;
        --count;
      }
  }

  /// A notification that the client had and did not use goes to the next.
  void client_gone(client_id client) {
    std::uint64_t unused = 0;
    std::erase_if(line_, [&](const auto& each) {
      if (each.second.client != client)
        return false;
      unused += each.second.notified ? 1 : 0;
      return true;
    });
    notify(unused);
  }

private:
  struct place {
    client_id client;
    bool notified;
  };

  std::map<std::uint64_t, place> line_;
  std::uint64_t last_ = 0;
};

/// A condition that a state keeps: Python's `manager.Condition()`. Waits with
/// any lock, such as a `std::unique_lock` of a `held::mutex`. Within one run,
/// `troupe::condition` costs less.
class condition : public proxy<condition_object> {
  using object = condition_object;

public:
  explicit condition(proxy held) noexcept : proxy(std::move(held)) {
  }

  /// Unlocks, waits until it is notified, and locks again. Throws what
  /// unlocking throws.
  /// @blocks on who notifies, and on the lock's owner
  template <class Lock>
  void wait(Lock& lock) const {
    const auto ticket = enter(lock);
    call<&object::wait>(ticket);
    lock.lock();
  }

  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate done) const {
    while (!done())
      wait(lock);
  }

  /// Returns false if `limit` passed first.
  template <class Lock, class Rep, class Period>
  bool
  wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& limit) const {
    return wait_before(lock, deadline::after(limit));
  }

  /// Returns what `done` says in the end.
  template <class Lock, class Rep, class Period, class Predicate>
  bool wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& limit,
                Predicate done) const {
    return wait_before(lock, deadline::after(limit), std::move(done));
  }

  template <class Lock, class Clock, class Duration>
  bool wait_until(Lock& lock,
                  const std::chrono::time_point<Clock, Duration>& limit) const {
    return wait_before(lock, deadline::at(limit));
  }

  template <class Lock, class Clock, class Duration, class Predicate>
  bool wait_until(Lock& lock,
                  const std::chrono::time_point<Clock, Duration>& limit,
                  Predicate done) const {
    return wait_before(lock, deadline::at(limit), std::move(done));
  }

  void notify_one() const {
    notify(1);
  }

  void notify_all() const {
    notify(std::numeric_limits<std::uint64_t>::max());
  }

  /// Wakes up to `count`, those who came first.
  void notify(std::uint64_t count) const {
    call<&object::notify>(count);
  }

  [[nodiscard]] static condition load(codec::decoder& from) {
    return condition{proxy::load(from)};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    state::offer<object, &object::enter, &object::wait, &object::leave,
                 &object::notify>();
  }

private:
  /// Stands in the line from now on, with the lock free; returns the ticket.
  template <class Lock>
  std::uint64_t enter(Lock& lock) const {
    const auto ticket = call<&object::enter>();
    try {
      lock.unlock();
    } catch (...) {
      // Notified in between: somebody else shall have it.
      if (call<&object::leave>(ticket))
        notify_one();
      throw;
    }
    return ticket;
  }

  template <class Lock>
  bool wait_before(Lock& lock, deadline limit) const {
    const auto ticket = enter(lock);
    const bool notified = call_before<&object::wait>(limit, ticket)
                          || call<&object::leave>(ticket);
    lock.lock();
    return notified;
  }

  template <class Lock, class Predicate>
  bool wait_before(Lock& lock, deadline limit, Predicate done) const {
    while (!done())
      if (!wait_before(lock, limit))
        return done();
    return true;
  }
};

} // namespace troupe::held
