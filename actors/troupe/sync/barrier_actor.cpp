// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/barrier_actor.hpp>

#include <troupe/sync/service_base.hpp>
#include <troupe/transport/caf_version.hpp>

namespace troupe {

namespace {

using sync::barrier_state;
using sync::breakage;

struct barrier_request {
  sync::client whose;
  caf::typed_response_promise<std::uint32_t> answer;
  deadline limit;
  /// Nothing: the round before has not drained yet.
  std::optional<barrier_state::arrival> arrived;
  std::uint64_t key = 0;
};

class barrier_service
  : public sync::service_base<barrier_actor, barrier_request> {
public:
  static inline const char* name = "troupe.barrier";

  barrier_actor::behavior_type start(barrier_actor::pointer self, barrier all) {
    all_.emplace(std::move(all));
    open(self, *all_, state().actor(),
         [this](const sync::client& gone) { on_client_death(gone); });
    return {
      [this](arrive_atom) { return arrive(state().limit()); },
      [this](arrive_atom, caf::timespan limit) {
        return arrive(deadline::after(limit));
      },
      [this](abort_atom) -> caf::result<void> {
        all_->abort();
        return caf::unit;
      },
      [this](restart_atom) -> caf::result<void> {
        all_->reset();
        return caf::unit;
      },
      [this](query_atom) -> caf::result<std::uint32_t> {
        return all_->waiting();
      },
      [this](woken_atom, std::uint64_t key) -> caf::result<void> {
        with(key, [this](position at) { look(at); });
        return caf::unit;
      },
    };
  }

private:
  [[nodiscard]] barrier_state& state() const noexcept {
    return all_->state();
  }

  caf::result<std::uint32_t> arrive(deadline limit) {
    const auto whose = sender();
    if (!whose)
      return refuse_sender("arrive at a barrier");
    auto answer = self_->make_response_promise<std::uint32_t>();
    // Should this process die with actors waiting, nobody would speak for them.
    state().take_part(row_);
    ++waiting_;
    look(add({*whose, answer, limit, std::nullopt}));
    return answer;
  }

  void look(position of) {
    if (!of->arrived) {
      barrier_state::arrival done{};
      if (state().try_arrive(of->whose.who.row(), done))
        of->arrived = done;
    }
    const bool late = of->limit.passed();
    if (of->arrived) {
      auto& mine = *of->arrived;
      using outcome = barrier_state::outcome;
      bool over = mine.result == outcome::broken;
      if (mine.result == outcome::last) {
        static_cast<void>(state().release(mine));
        over = true;
      } else if (!over) {
        over = state().look(mine);
        if (!over && late) {
          state().break_epoch(breakage::timed_out, mine.epoch);
          over = state().look(mine);
        }
      }
      if (over)
        return answer(of);
    }
    const auto before = state().now().word();
    wait_for(
      of, [this, before] { return state().now().word() != before; },
      late ? deadline::never() : of->limit);
  }

  void answer(position of) {
    auto done = take(of);
    forget_one();
    using outcome = barrier_state::outcome;
    if (done.arrived->result == outcome::broken
        || done.arrived->result == outcome::reset)
      done.answer.deliver(
        refuse(errc::broken_barrier, "arrive at a barrier: it is broken"));
    else
      done.answer.deliver(done.arrived->index);
  }

  void forget_one() {
    if (--waiting_ == 0)
      state().forget(row_);
  }

  void on_client_death(const sync::client& gone) {
    end_requests_of(gone, [this](barrier_request) {
      forget_one();
      state().break_all(breakage::member_died);
    });
  }

  std::optional<barrier> all_;
  std::uint32_t waiting_ = 0;
};

barrier_actor::behavior_type
serve(runtime::service<barrier_actor::stateful_pointer<barrier_service>> self,
      barrier all) {
  return transport::version::state_of(self).start(self, std::move(all));
}

} // namespace

barrier_actor actor_of(const barrier& all) {
  return sync::services::find_or_make<runtime::from_function<&serve>>(
    all.state().actor(), all);
}

} // namespace troupe
