// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/mutex_actor.hpp>

#include <troupe/sync/service_base.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/node.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe {

namespace {

using sync::client;
using sync::mutex_word;

using mutex_request = sync::queued_request<grant>;

template <class Lock>
class mutex_service : public sync::service_base<mutex_actor, mutex_request> {
public:
  static inline const char* name = "troupe.mutex";

  mutex_actor::behavior_type start(mutex_actor::pointer self, Lock lock) {
    lock_.emplace(std::move(lock));
    open(self, *lock_, word().actor(),
         [this](const client& gone) { on_client_death(gone); });
    adopt_owner();
    return {
      [this](acquire_atom) { return acquire(deadline::never()); },
      [this](acquire_atom, caf::timespan limit) {
        return acquire(deadline::after(limit));
      },
      [this](release_atom) { return release(); },
      [this](query_atom) -> caf::result<std::string> { return holder_text(); },
      [this](woken_atom, std::uint64_t key) -> caf::result<void> {
        with(key, [this](position at) { look(at); });
        return caf::unit;
      },
    };
  }

private:
  [[nodiscard]] mutex_word& word() const noexcept {
    return lock_->word();
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
      word().take_from(now, row_);
      return;
    }
    adopted_ = now;
    if (const auto actor
        = transport::node::require().living_actor_in(was.process, was.id))
      clients_.watch(self_, actor, was);
    else
      on_client_death(was);
  }

  caf::result<grant> acquire(deadline limit) {
    // Said when it fails only.
    const auto what = [this] { return "acquire " + text(); };
    const auto whose = sender();
    if (!whose)
      return refuse_sender(what());
    const auto& who = whose->who;
    if (word().holder() == who && !is_on_its_way_to(who)) {
      // The host before this one may have died with the answer.
      if (std::exchange(adopted_, sync::owner{}) == who)
        return grant{word().fence(), word().owner_died()};
      if (!word().is_recursive())
        return refuse(errc::would_deadlock, what() + ": the sender owns it");
      word().set_depth(word().depth() + 1);
      return grant{word().fence(), word().owner_died()};
    }
    if (word().try_take(who))
      return granted(word(), *whose, row_);
    if (limit.passed())
      return refuse(errc::timed_out, what());
    auto* const at = word().enqueue(who, row_);
    if (at == nullptr)
      return refuse(errc::limit_reached, what() + ": too many wait");
    auto answer = self_->make_response_promise<grant>();
    look(add({*whose, answer, at, at->ticket.load(), limit}));
    return answer;
  }

  /// Whether the lock was handed to a request of that client, which has not
  /// been answered yet.
  [[nodiscard]] bool is_on_its_way_to(sync::owner who) const {
    return std::any_of(requests_.begin(), requests_.end(),
                       [who](const mutex_request& each) {
                         return each.whose.who == who
                                && mutex_word::is_handed_to(*each.at);
                       });
  }

  /// Takes the lock for who waits at `of`, or has it watched.
  void look(position of) {
    const auto& who = of->whose.who;
    const auto seen = of->at->wake_word.load(std::memory_order_acquire);
    const bool taken = word().take_as_waiter(who, *of->at, of->ticket, row_);
    if (!taken && !of->limit.passed())
      return wait_for(
        of,
        [at = of->at, seen] {
          return at->wake_word.load(std::memory_order_acquire) != seen;
        },
        of->limit);
    const bool granted_late
      = !taken && word().leave_queue(who, *of->at, of->ticket, row_);
    auto done = take(of);
    if (taken || granted_late)
      done.answer.deliver(granted(word(), done.whose, row_));
    else
      done.answer.deliver(refuse(errc::timed_out, "acquire " + text()));
  }

  caf::result<void> release() {
    const auto whose = sender();
    if (!whose || word().holder() != whose->who)
      return refuse(errc::not_owner, "release " + text()
                                       + ": the sender does not own it; "
                                       + holder_text());
    if (word().is_recursive() && word().depth() > 1) {
      word().set_depth(word().depth() - 1);
      return caf::unit;
    }
    adopted_ = sync::owner{};
    static_cast<void>(word().give_back(whose->who));
    return caf::unit;
  }

  /// A client has ended: what it waited for and what it owns is others'.
  void on_client_death(const client& gone) {
    end_requests_of(gone, [this, &gone](const mutex_request& request) {
      static_cast<void>(
        word().leave_queue(gone.who, *request.at, request.ticket, row_));
    });
    word().take_from(gone.who, row_);
  }

  [[nodiscard]] std::string holder_text() const {
    const auto now = lock_->holder();
    return now ? now->description() : std::string{};
  }

  [[nodiscard]] std::string text() const {
    return "mutex " + std::to_string(lock_->id());
  }

  std::optional<Lock> lock_;
  /// Owned the lock when this actor began, and has not been heard of since.
  sync::owner adopted_;
};

template <class Lock>
mutex_actor::behavior_type
serve(runtime::service<mutex_actor::stateful_pointer<mutex_service<Lock>>> self,
      Lock lock) {
  return transport::version::state_of(self).start(self, std::move(lock));
}

} // namespace

mutex_actor actor_of(const mutex& lock) {
  return sync::services::find_or_make<runtime::from_function<&serve<mutex>>>(
    lock.word().actor(), lock);
}

mutex_actor actor_of(const recursive_mutex& lock) {
  return sync::services::find_or_make<
    runtime::from_function<&serve<recursive_mutex>>>(lock.word().actor(), lock);
}

} // namespace troupe
