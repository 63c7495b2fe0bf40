// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/started_actor.hpp>

#include <troupe/runtime/actor_system.hpp>
#include <troupe/transport/node.hpp>

namespace troupe::runtime {

namespace {

thread_local actor_start* at_hand = nullptr;

} // namespace

/// Where actors begin that a thread starts: the one that is being made is kept
/// for `run`; those that it wakes are the receiving thread's.
class start_context final : public transport::version::own_context {
public:
  using own_context::own_context;

  /// Never destroyed: an actor may know it until it runs again.
  static start_context& of_this_process() {
    static auto& only = *new start_context{actor_system()};
    return only;
  }

  void later(caf::resumable* woken) override {
    if (at_hand != nullptr && std::exchange(at_hand->constructed_, false))
      at_hand->job_ = woken;
    else
      pass_on(woken);
  }

  static void pass_on(caf::resumable* woken) {
    transport::node::require().receiver().entrance().later(woken);
  }
};

actor_start::actor_start() : before_(std::exchange(at_hand, this)) {
  static_cast<void>(transport::node::require());
}

actor_start::~actor_start() {
  at_hand = before_;
  // It was made, and something was thrown before it could run.
  if (job_ != nullptr)
    start_context::pass_on(job_);
}

caf::actor_config actor_start::config() const {
  return caf::actor_config{&start_context::of_this_process()};
}

void actor_start::run() {
  if (job_ == nullptr)
    return;
  auto* const job = job_;
  // No message: only what comes before the first.
  const auto result = job->resume(&start_context::of_this_process(), 0);
  job_ = nullptr;
  if (result == caf::resumable::resume_later)
    start_context::pass_on(job);
  else
    intrusive_ptr_release(job);
  if (failure_)
    std::rethrow_exception(std::exchange(failure_, nullptr));
}

void actor_start::note_constructed() noexcept {
  if (at_hand != nullptr)
    at_hand->constructed_ = true;
}

bool actor_start::has_failed() noexcept {
  if (at_hand == nullptr)
    return false;
  at_hand->failure_ = std::current_exception();
  return true;
}

} // namespace troupe::runtime
