// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/supervisor.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/option_checks.hpp>
#include <troupe/pool/exception_of_request.hpp>
#include <troupe/pool/supervisor_loop.hpp>
#include <troupe/pool/supervisor_partners.hpp>
#include <troupe/process/exit.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/service_actor.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/actor_cast.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace troupe {

namespace {

/// Throws `invalid_argument` for what cannot be supervised.
void check_plan(const supervisor_plan& plan) {
  const std::string attempted = "start a supervisor";
  const auto& options = plan.options;
  require_enumerator(attempted, "strategy", options.strategy,
                     strategy::rest_for_one);
  require_not_negative(attempted, "intensity", options.intensity);
  require_positive(attempted, "period", options.period);
  const auto& children = plan.children;
  for (auto each = children.begin(); each != children.end(); ++each) {
    const auto what = attempted + " with child '" + each->id + "'";
    supervision::check_child(*each, what);
    if (std::any_of(children.begin(), each,
                    [&](const auto& before) { return before.id == each->id; }))
      throw invalid_argument(what, "there is another child of that name");
  }
}

/// Throws what the supervisor has thrown at the request, or says why it has not
/// answered.
[[noreturn]] void
throw_failure(const caf::error& why,
              const supervision::exception_of_request& thrown) {
  if (const auto failure = thrown.take())
    std::rethrow_exception(failure);
  const auto text = transport::text_of(why);
  const auto code = transport::code_of(why);
  if (code == errc::none)
    throw peer_died("ask a supervisor", "it has ended: " + text,
                    "look at its last report, and make a new one");
  throw_error(code, "ask a supervisor", text);
}

/// Throws `would_deadlock` where the supervisor itself would wait.
void require_outside(const supervisor_actor& whom) {
  if (supervision::calls_hook_of(whom->id()))
    throw would_deadlock("ask a supervisor",
                         "it is calling this report hook, and answers nobody "
                         "meanwhile",
                         "hand over to another thread, or subscribe an actor");
}

template <class R, class... Ts>
R ask(const supervisor_actor& whom, Ts&&... what) {
  if (!whom)
    throw invalid_state("ask a supervisor", "it was closed or moved from");
  require_outside(whom);
  caf::scoped_actor self{actor_system()};
  std::optional<caf::error> failure;
  const supervision::exception_of_request thrown{self->id()};
  if constexpr (std::is_void_v<R>) {
    transport::version::request(self, whom, std::forward<Ts>(what)...)
      .receive([] {}, [&](caf::error& why) { failure = std::move(why); });
    if (failure)
      throw_failure(*failure, thrown);
  } else {
    R result;
    transport::version::request(self, whom, std::forward<Ts>(what)...)
      .receive([&](R& value) { result = std::move(value); },
               [&](caf::error& why) { failure = std::move(why); });
    if (failure)
      throw_failure(*failure, thrown);
    return result;
  }
}

using start_result = std::promise<std::exception_ptr>;

/// The actor of a supervisor.
class body final : public caf::blocking_actor {
public:
  body(caf::actor_config& config, std::shared_ptr<start_result> started,
       supervisor_plan plan)
    : caf::blocking_actor(config),
      started_(std::move(started)),
      plan_(std::move(plan)) {
  }

  using caf::blocking_actor::enqueue;

  /// Looks at exit messages before they are in the mailbox: a blocking actor
  /// forgets a link when it reads one.
  bool enqueue(caf::mailbox_element_ptr what,
               transport::version::execution_context* context) override {
    if (const auto* const told = runtime::exit_in(*what);
        told != nullptr && partners_.is_end_of_one(*this, *told))
      return true;
    if (runtime::refuse_error(*what))
      return true;
    return caf::blocking_actor::enqueue(std::move(what), context);
  }

  void act() override {
    supervision::supervisor_loop work{this, std::move(plan_.options)};
    // Also where it gives up: Erlang's `shutdown`.
    fail_state(caf::exit_reason::user_shutdown);
    std::exception_ptr failure;
    try {
      work.start(std::move(plan_.children));
    } catch (...) {
      failure = std::current_exception();
    }
    const bool failed = failure != nullptr;
    started_->set_value(std::move(failure));
    if (!failed)
      work.run();
  }

private:
  std::shared_ptr<start_result> started_;
  supervisor_plan plan_;
  supervision::partners partners_;
};

} // namespace

caf::actor supervision::launch(supervisor_plan plan, start_watch& watch) {
  static_cast<void>(messages_known);
  check_plan(plan);
  auto started = std::make_shared<start_result>();
  auto answer = started->get_future();
  const auto made = actor_system().spawn<body, caf::detached>(started,
                                                              std::move(plan));
  watch.ends_by(
    [made] { caf::anon_send_exit(made, caf::exit_reason::user_shutdown); });
  if (auto failure = answer.get())
    std::rethrow_exception(std::move(failure));
  return made;
}

namespace {

/// Tells a supervisor to end, and waits until it has.
void end_in_order(const caf::actor& whom) {
  caf::scoped_actor self{actor_system()};
  self->monitor(whom);
  caf::anon_send_exit(whom, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
}

/// The supervisors of this process that no other supervisor here ends.
class top_ones {
public:
  static top_ones& of_this_process() {
    // Never destroyed: used during exit.
    static auto& all = *new top_ones;
    return all;
  }

  void add(const caf::actor& one) {
    const std::scoped_lock guard{mutex_};
    std::erase_if(all_, [](const auto& each) { return !each.lock(); });
    all_.push_back(caf::actor_cast<caf::weak_actor_ptr>(one));
    // After the actor system was made, hence run before that ends.
    if (!std::exchange(registered_, true))
      std::atexit([] {
        // A report hook that calls exit would wait for its own supervisor.
        if (hosting::begin_exit() && !supervision::calls_hook())
          of_this_process().end();
      });
  }

private:
  /// Else a supervisor would take the end of its children for their deaths.
  void end() {
    // Thread-local objects of the thread that calls exit are gone by now.
    std::thread{[this] {
      const std::scoped_lock guard{mutex_};
      for (auto each = all_.rbegin(); each != all_.rend(); ++each)
        if (const auto living = each->lock())
          end_in_order(caf::actor_cast<caf::actor>(living));
    }}.join();
  }

  std::mutex mutex_;
  std::vector<caf::weak_actor_ptr> all_;
  bool registered_ = false;
};

} // namespace

caf::actor supervision::launch_top(supervisor_plan plan) {
  start_watch unwatched;
  auto made = launch(std::move(plan), unwatched);
  top_ones::of_this_process().add(made);
  return made;
}

supervisor::supervisor(supervisor_options options,
                       std::vector<child_spec> children)
  : actor_(caf::actor_cast<supervisor_actor>(
      supervision::launch_top({std::move(options), std::move(children)}))) {
}

supervisor::~supervisor() {
  try {
    if (actor_ && supervision::calls_hook_of(actor_->id()))
      caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
    else
      close();
  } catch (...) {
    // The actor system has ended, and it with that.
  }
}

void supervisor::close() {
  if (actor_)
    require_outside(actor_);
  if (const auto whom = std::exchange(actor_, {}))
    end_in_order(caf::actor_cast<caf::actor>(whom));
}

caf::actor supervisor::start_child(child_spec spec) const {
  return ask<caf::actor>(actor_, start_child_atom_v, std::move(spec));
}

caf::actor supervisor::child(std::string_view id) const {
  return ask<caf::actor>(actor_, caf::get_atom_v, std::string{id});
}

caf::actor supervisor::restart_child(std::string_view id) const {
  return ask<caf::actor>(actor_, restart_child_atom_v, std::string{id});
}

void supervisor::terminate_child(std::string_view id) const {
  ask<void>(actor_, terminate_child_atom_v, std::string{id});
}

void supervisor::delete_child(std::string_view id) const {
  ask<void>(actor_, delete_child_atom_v, std::string{id});
}

std::vector<child_info> supervisor::which_children() const {
  return ask<std::vector<child_info>>(actor_, which_children_atom_v);
}

child_count supervisor::count_children() const {
  return ask<child_count>(actor_, count_children_atom_v);
}

void supervisor::subscribe(const caf::actor& listener) const {
  ask<void>(actor_, caf::subscribe_atom_v, listener);
}

void supervisor::unsubscribe(const caf::actor& listener) const {
  ask<void>(actor_, caf::unsubscribe_atom_v, listener);
}

bool supervisor::is_alive() const {
  try {
    static_cast<void>(which_children());
    return true;
  } catch (const would_deadlock&) {
    throw;
  } catch (const error&) {
    return false;
  }
}

child_spec supervised(std::string id, supervisor_options options,
                      std::vector<child_spec> children) {
  child_spec result;
  result.id = std::move(id);
  result.shutdown = shutdown::infinity();
  result.supervises = true;
  result.start_limit = std::nullopt;
  result.start
    = [plan = supervisor_plan{std::move(options), std::move(children)}](
        start_watch& watch) { return supervision::launch(plan, watch); };
  return result;
}

} // namespace troupe
