// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/mutex_actor.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/sync/clients.hpp>
#include <troupe/sync/doorman.hpp>
#include <troupe/sync/services.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/node.hpp>

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <list>
#include <memory>
#include <optional>
#include <utility>

namespace troupe {

namespace {

using sync::client;
using sync::mutex_word;
using transport::make_error;

/// Serves one lock.
struct mutex_desk {
  static inline const char* name = "troupe.mutex";

  using promise = caf::typed_response_promise<grant>;

  struct waiting {
    std::uint64_t key;
    client whose;
    sync::place* at;
    std::uint64_t ticket;
    deadline limit;
    promise answer;
  };

  void start(mutex_actor::pointer of, const sync::lock_handle& what) {
    self = of;
    lock = &what;
    row = memory::run_memory::current().self().index;
    clients.start([this](const client& gone) { bury(gone); });
    sync::services::enter(word().actor(), self->id());
    adopt_owner();
  }

  [[nodiscard]] mutex_word& word() const noexcept {
    return lock->word();
  }

  /// An actor may own the lock since before a services host died.
  void adopt_owner() {
    const auto now = word().holder();
    if (!now || !now.is_actor())
      return;
    const auto id = word().client().load(std::memory_order_acquire);
    auto& slot = memory::run_memory::current().slot(now.row());
    const client was{now, {now.row(), slot.generation.load()}, id};
    if (sync::owner{now.row(), id, true} != now) {
      // It was killed between taking the lock and noting for whom.
      word().take_from(now, row);
      return;
    }
    adopted = now;
    if (const auto actor = transport::node::require().actor_in(was.process,
                                                               was.id))
      clients.watch(self, actor, was);
    else
      bury(was);
  }

  caf::result<grant> acquire(deadline limit) {
    const auto sender
      = caf::actor_cast<caf::strong_actor_ptr>(self->current_sender());
    const auto whose = client::of(sender);
    if (!whose)
      return make_error(errc::invalid_argument,
                        "acquire " + text()
                          + ": the sender is no actor of this run");
    if (word().holder() == whose->who && !is_on_its_way_to(whose->who)) {
      // The host before this one may have died with the answer.
      if (std::exchange(adopted, sync::owner{}) == whose->who)
        return grant{word().fence(), word().owner_died()};
      if (!word().is_recursive())
        return make_error(errc::would_deadlock,
                          "acquire " + text() + ": the sender owns it");
      word().set_depth(word().depth() + 1);
      return grant{word().fence(), word().owner_died()};
    }
    clients.watch(self, sender, *whose);
    if (word().try_take(whose->who))
      return granted(word(), *whose, row);
    if (limit.passed())
      return make_error(errc::timed_out, "acquire " + text());
    auto* const at = word().wait_in_line(whose->who, row);
    if (at == nullptr)
      return make_error(errc::limit_reached,
                        "acquire " + text() + ": too many wait");
    auto answer = self->make_response_promise<grant>();
    line.push_back({sync::doorman::of_this_process().next_key(), *whose, at,
                    at->ticket.load(), limit, answer});
    look(std::prev(line.end()));
    return answer;
  }

  /// Whether the lock was handed to a request of that client, which has not
  /// been answered yet.
  [[nodiscard]] bool is_on_its_way_to(sync::owner who) const {
    return std::any_of(line.begin(), line.end(), [who](const waiting& each) {
      return each.whose.who == who && mutex_word::is_handed_to(*each.at);
    });
  }

  using position = std::list<waiting>::iterator;

  /// Takes the lock for who waits at `of`, or has it watched.
  void look(position of) {
    const auto seen = of->at->bell.load(std::memory_order_acquire);
    if (word().take_in_line(of->whose.who, *of->at, of->ticket, row)) {
      auto answer = of->answer;
      const auto whose = of->whose;
      line.erase(of);
      answer.deliver(granted(word(), whose, row));
      return;
    }
    if (of->limit.passed()) {
      give_up(of, errc::timed_out);
      return;
    }
    sync::doorman::of_this_process().watch(
      of->key, caf::actor_cast<caf::actor>(self->address()),
      [at = of->at, seen] {
        return at->bell.load(std::memory_order_acquire) != seen;
      },
      of->limit);
  }

  void give_up(position of, errc why) {
    const auto late = word().leave_line(of->whose.who, *of->at, of->ticket,
                                        row);
    auto answer = of->answer;
    const auto whose = of->whose;
    line.erase(of);
    if (late)
      answer.deliver(granted(word(), whose, row));
    else
      answer.deliver(make_error(why, "acquire " + text()));
  }

  void roused(std::uint64_t key) {
    for (auto at = line.begin(); at != line.end(); ++at)
      if (at->key == key)
        return look(at);
  }

  caf::result<void> release() {
    const auto whose = client::of(
      caf::actor_cast<caf::strong_actor_ptr>(self->current_sender()));
    if (!whose || word().holder() != whose->who)
      return make_error(errc::not_owner, "release " + text()
                                           + ": the sender does not own it; "
                                           + holder_text());
    if (word().is_recursive() && word().depth() > 1) {
      word().set_depth(word().depth() - 1);
      return caf::unit;
    }
    adopted = sync::owner{};
    static_cast<void>(word().give_back(whose->who));
    return caf::unit;
  }

  /// A client has ended: what it waited for and what it owns is others'.
  void bury(const client& gone) {
    for (auto at = line.begin(); at != line.end();) {
      const auto here = at++;
      if (here->whose.who != gone.who)
        continue;
      sync::doorman::of_this_process().forget(here->key);
      static_cast<void>(
        word().leave_line(gone.who, *here->at, here->ticket, row));
      line.erase(here);
    }
    word().take_from(gone.who, row);
  }

  [[nodiscard]] std::string holder_text() const {
    const auto now = lock->holder();
    return now ? now->description() : std::string{};
  }

  [[nodiscard]] std::string text() const {
    return "mutex " + std::to_string(lock->where());
  }

  mutex_actor::behavior_type behavior() {
    return {
      [this](acquire_atom) { return acquire(deadline::never()); },
      [this](acquire_atom, caf::timespan limit) {
        return acquire(deadline::after(limit));
      },
      [this](release_atom) { return release(); },
      [this](query_atom) -> caf::result<std::string> { return holder_text(); },
      [this](roused_atom, std::uint64_t key) -> caf::result<void> {
        roused(key);
        return caf::unit;
      },
    };
  }

  mutex_actor::pointer self = nullptr;
  const sync::lock_handle* lock = nullptr;
  std::uint32_t row = 0;
  /// Owned the lock when this actor began, and has not been heard of since.
  sync::owner adopted;
  sync::client_watch clients;
  std::list<waiting> line;
};

template <class Lock>
struct lock_desk : mutex_desk {
  std::optional<Lock> held;
};

template <class Lock>
mutex_actor::behavior_type
serve(mutex_actor::stateful_pointer<lock_desk<Lock>> self, Lock lock) {
  auto& state = transport::version::state_of(self);
  state.held.emplace(std::move(lock));
  state.start(self, *state.held);
  return state.behavior();
}

} // namespace

mutex_actor actor_of(const mutex& lock) {
  return sync::services::find_or_make<factory::from_function<&serve<mutex>>>(
    lock.word().actor(), lock);
}

mutex_actor actor_of(const recursive_mutex& lock) {
  return sync::services::find_or_make<
    factory::from_function<&serve<recursive_mutex>>>(lock.word().actor(), lock);
}

} // namespace troupe
