// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/semaphore_actor.hpp>

#include <troupe/base/error.hpp>
#include <troupe/sync/service_base.hpp>
#include <troupe/transport/caf_version.hpp>

#include <map>

namespace troupe {

namespace {

using sync::client;

using semaphore_request = sync::queued_request<void>;

class semaphore_service
  : public sync::service_base<semaphore_actor, semaphore_request> {
public:
  static inline const char* name = "troupe.semaphore";

  semaphore_actor::behavior_type start(semaphore_actor::pointer self,
                                       semaphore units) {
    units_.emplace(std::move(units));
    open(self, *units_, state().actor(),
         [this](const client& gone) { on_client_death(gone); });
    return {
      [this](acquire_atom) { return acquire(deadline::never()); },
      [this](acquire_atom, caf::timespan limit) {
        return acquire(deadline::after(limit));
      },
      [this](release_atom) { return release(1); },
      [this](release_atom, std::int64_t count) { return release(count); },
      [this](query_atom) -> caf::result<std::int64_t> {
        return units_->value();
      },
      [this](woken_atom, std::uint64_t key) -> caf::result<void> {
        with(key, [this](position at) { look(at); });
        return caf::unit;
      },
    };
  }

private:
  [[nodiscard]] sync::semaphore_units& state() const noexcept {
    return units_->units();
  }

  void note_taken(const client& whose) {
    ++held_[whose.who.bits()];
    // Dead before it had the unit: nobody else would take it from it.
    if (!whose.process_is_alive())
      state().take_back(whose.who.row(), row_);
  }

  caf::result<void> acquire(deadline limit) {
    const auto whose = sender();
    if (!whose)
      return refuse_sender("acquire a semaphore");
    bool taken = false;
    auto* const at = state().enqueue(whose->who, row_, taken);
    if (taken) {
      note_taken(*whose);
      return caf::unit;
    }
    if (at == nullptr)
      return refuse(errc::limit_reached, "acquire a semaphore: too many wait");
    auto answer = self_->make_response_promise<void>();
    look(add({*whose, answer, at, at->ticket.load(), limit}));
    return answer;
  }

  void look(position of) {
    const auto seen = of->at->wake_word.load(std::memory_order_acquire);
    if (state().take_as_waiter(of->whose.who, *of->at, of->ticket, row_)) {
      auto done = take(of);
      note_taken(done.whose);
      return done.answer.deliver();
    }
    if (of->limit.passed()) {
      state().leave_queue(of->whose.who, *of->at, of->ticket, row_);
      return take(of).answer.deliver(
        refuse(errc::timed_out, "acquire a semaphore"));
    }
    wait_for(
      of,
      [at = of->at, seen] {
        return at->wake_word.load(std::memory_order_acquire) != seen;
      },
      of->limit);
  }

  caf::result<void> release(std::int64_t count) {
    const auto whose = sender();
    if (!whose)
      return refuse_sender("release a semaphore");
    if (count < 0)
      return refuse(errc::invalid_argument,
                    "release " + std::to_string(count)
                      + " of a semaphore: it must not be negative");
    if (state().give(whose->who.row(), count, row_)
        == sync::semaphore_units::release_result::above_bound)
      return refuse(errc::invalid_state, "release " + std::to_string(count)
                                           + " of a semaphore: its bound is "
                                           + std::to_string(state().bound()));
    auto& held = held_[whose->who.bits()];
    held -= std::min(held, count);
    return caf::unit;
  }

  void on_client_death(const client& gone) {
    end_requests_of(gone, [this](semaphore_request request) {
      state().leave_queue(request.whose.who, *request.at, request.ticket, row_);
    });
    const auto found = held_.find(gone.who.bits());
    if (found == held_.end())
      return;
    // With its process all units of that come back, by way of its account.
    if (gone.process_is_alive())
      state().give_back_lost(gone.who.row(), found->second, row_);
    held_.erase(found);
  }

  std::optional<semaphore> units_;
  std::map<std::uint64_t, std::int64_t> held_;
};

semaphore_actor::behavior_type serve(
  runtime::service<semaphore_actor::stateful_pointer<semaphore_service>> self,
  semaphore units) {
  return transport::version::state_of(self).start(self, std::move(units));
}

} // namespace

semaphore_actor actor_of(const semaphore& units) {
  return sync::services::find_or_make<runtime::from_function<&serve>>(
    units.units().actor(), units);
}

} // namespace troupe
