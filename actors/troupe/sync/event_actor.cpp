// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/event_actor.hpp>

#include <troupe/sync/service_base.hpp>
#include <troupe/transport/caf_version.hpp>

namespace troupe {

namespace {

struct event_request {
  sync::client whose;
  caf::typed_response_promise<void> answer;
  std::uint64_t before;
  deadline limit;
  std::uint64_t key = 0;
};

class event_service : public sync::service_base<event_actor, event_request> {
public:
  static inline const char* name = "troupe.event";

  event_actor::behavior_type start(event_actor::pointer self, event news) {
    news_.emplace(std::move(news));
    open(self, *news_, news_->state().actor, [this](const sync::client& gone) {
      end_requests_of(gone, [](event_request) {});
    });
    return {
      [this](set_atom) -> caf::result<void> {
        news_->set();
        return caf::unit;
      },
      [this](clear_atom) -> caf::result<void> {
        news_->clear();
        return caf::unit;
      },
      [this](query_atom) -> caf::result<bool> { return news_->is_set(); },
      [this](wait_atom) { return wait(deadline::never()); },
      [this](wait_atom, caf::timespan limit) {
        return wait(deadline::after(limit));
      },
      [this](woken_atom, std::uint64_t key) -> caf::result<void> {
        with(key, [this](position at) { look(at); });
        return caf::unit;
      },
    };
  }

private:
  [[nodiscard]] std::uint64_t state() const noexcept {
    return news_->state().state.load(std::memory_order_seq_cst);
  }

  static bool was_set(std::uint64_t before, std::uint64_t now) noexcept {
    return (now & 1) != 0 || now >> 1 != before >> 1;
  }

  caf::result<void> wait(deadline limit) {
    const auto whose = sender();
    if (!whose)
      return refuse_sender("wait for an event");
    const auto before = state();
    if (was_set(before, before))
      return caf::unit;
    auto answer = self_->make_response_promise<void>();
    look(add({*whose, answer, before, limit}));
    return answer;
  }

  void look(position of) {
    if (was_set(of->before, state()))
      return take(of).answer.deliver();
    if (of->limit.passed())
      return take(of).answer.deliver(
        refuse(errc::timed_out, "wait for an event"));
    wait_for(
      of, [this, before = of->before] { return was_set(before, state()); },
      of->limit);
  }

  std::optional<event> news_;
};

event_actor::behavior_type
serve(runtime::service<event_actor::stateful_pointer<event_service>> self,
      event news) {
  return transport::version::state_of(self).start(self, std::move(news));
}

} // namespace

event_actor actor_of(const event& news) {
  return sync::services::find_or_make<runtime::from_function<&serve>>(
    news.state().actor, news);
}

} // namespace troupe
