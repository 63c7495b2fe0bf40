// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/condition_actor.hpp>

#include <troupe/base/error.hpp>
#include <troupe/sync/service_base.hpp>
#include <troupe/transport/caf_version.hpp>

namespace troupe {

namespace {

using sync::client;
using sync::mutex_word;

struct condition_request {
  client whose;
  caf::typed_response_promise<grant> answer;
  memory::reference mutex;
  sync::waiter* at;
  std::uint64_t ticket;
  deadline limit;
  /// Notified, or too late: it now waits for the mutex.
  bool woken = false;
  bool in_time = true;
  std::uint64_t key = 0;

  [[nodiscard]] mutex_word& word() const noexcept {
    return *mutex.as<mutex_word>();
  }
};

class condition_service
  : public sync::service_base<condition_actor, condition_request> {
public:
  static inline const char* name = "troupe.condition";

  condition_actor::behavior_type start(condition_actor::pointer self,
                                       condition changed) {
    changed_.emplace(std::move(changed));
    open(self, *changed_, state().actor(),
         [this](const client& gone) { on_client_death(gone); });
    return {
      [this](wait_atom, std::uint64_t mutex) {
        return wait(mutex, deadline::never());
      },
      [this](wait_atom, std::uint64_t mutex, caf::timespan limit) {
        return wait(mutex, deadline::after(limit));
      },
      [this](notify_atom) -> caf::result<std::uint32_t> {
        return state().notify(1, row_);
      },
      [this](notify_atom, std::uint32_t count) -> caf::result<std::uint32_t> {
        return state().notify(count, row_);
      },
      [this](woken_atom, std::uint64_t key) -> caf::result<void> {
        with(key, [this](position at) { look(at); });
        return caf::unit;
      },
    };
  }

private:
  [[nodiscard]] sync::condition_state& state() const noexcept {
    return changed_->state();
  }

  caf::result<grant> wait(std::uint64_t mutex, deadline limit) {
    const std::string what = "wait on a condition";
    const auto whose = sender();
    if (!whose)
      return refuse_sender(what);
    condition_request request{*whose, {}, {}, nullptr, 0, limit};
    try {
      request.mutex = memory::reference::attach(mutex,
                                                memory::object_kind::mutex);
    } catch (const error& failure) {
      return transport::to_caf(failure);
    }
    if (request.word().holder() != whose->who)
      return refuse(errc::not_owner, what + ": the sender does not own mutex "
                                       + std::to_string(mutex));
    request.at = state().enqueue(whose->who, row_);
    if (request.at == nullptr)
      return refuse(errc::limit_reached, what + ": too many wait");
    request.ticket = request.at->ticket.load();
    static_cast<void>(request.word().give_back(whose->who));
    request.answer = self_->make_response_promise<grant>();
    auto answer = request.answer;
    look(add(std::move(request)));
    return answer;
  }

  void look(position of) {
    if (!of->woken && !wake(of))
      return;
    auto& word = of->word();
    const auto& who = of->whose.who;
    if (of->at == nullptr) {
      if (word.try_take(who))
        return finish(of);
      of->at = word.enqueue(who, row_);
      if (of->at == nullptr)
        return take(of).answer.deliver(refuse(
          errc::limit_reached, "acquire the mutex again: too many wait"));
      of->ticket = of->at->ticket.load();
    }
    const auto seen = of->at->wake_word.load(std::memory_order_acquire);
    if (word.take_as_waiter(who, *of->at, of->ticket, row_))
      return finish(of);
    watch_wake_word(of, seen, deadline::never());
  }

  /// Looks whether the wait for a notification is over; then it is the mutex
  /// that is waited for.
  bool wake(position of) {
    const auto seen = of->at->wake_word.load(std::memory_order_acquire);
    // The sender's process may have died, and its place be another's by now.
    const auto& who = of->whose.who;
    if (!state().take(who, *of->at, of->ticket, row_)) {
      if (!of->limit.passed()) {
        watch_wake_word(of, seen, of->limit);
        return false;
      }
      of->in_time = state().withdraw(who, *of->at, of->ticket, row_);
    }
    of->woken = true;
    of->at = nullptr;
    return true;
  }

  void watch_wake_word(position of, std::uint32_t seen, deadline limit) {
    wait_for(
      of,
      [at = of->at, seen] {
        return at->wake_word.load(std::memory_order_acquire) != seen;
      },
      limit);
  }

  void finish(position of) {
    auto done = take(of);
    const auto result = granted(done.word(), done.whose, row_);
    if (done.in_time)
      done.answer.deliver(result);
    else
      done.answer.deliver(refuse(errc::timed_out, "wait on a condition"));
  }

  void on_client_death(const client& gone) {
    end_requests_of(gone, [this, &gone](condition_request request) {
      if (request.woken) {
        if (request.at != nullptr)
          static_cast<void>(request.word().leave_queue(gone.who, *request.at,
                                                       request.ticket, row_));
        request.word().take_from(gone.who, row_);
      } else if (state().withdraw(gone.who, *request.at, request.ticket, row_))
        state().notify(1, row_);
    });
  }

  std::optional<condition> changed_;
};

condition_actor::behavior_type serve(
  runtime::service<condition_actor::stateful_pointer<condition_service>> self,
  condition changed) {
  return transport::version::state_of(self).start(self, std::move(changed));
}

} // namespace

condition_actor actor_of(const condition& changed) {
  return sync::services::find_or_make<runtime::from_function<&serve>>(
    changed.state().actor(), changed);
}

} // namespace troupe
