// SPDX-License-Identifier: BSL-1.0

// A program that waits in one call, `waiting_role CALL deaf|listens`: prints
// "ready" before it. One that listens saves what a state holds when it is asked
// to end, says what it may still begin, lets the call go, and exits with 7.

#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/pool/supervisor.hpp>
#include <troupe/process/program.hpp>
#include <troupe/process/run_command.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/event.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/condition.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/semaphore.hpp>

#include <support/eventually.hpp>
#include <support/sleeping.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using troupe::test::await;
using troupe::test::sleep_for_ever;

/// A call that waits, and what lets it go where no death does.
struct stage {
  std::function<void(const std::stop_token&)> wait;
  std::function<void()> let_go = [] {};
};

int never() {
  sleep_for_ever();
}

int never_ends(int) {
  sleep_for_ever();
}

/// A child that has what main waits for, and does nothing with it.
template <class... Held>
auto keep(const Held&... held) {
  troupe::event there;
  auto child = std::make_shared<troupe::process>(troupe::start(
    [](troupe::event begun, Held...) {
      begun.set();
      sleep_for_ever();
    },
    there, held...));
  there.wait();
  return child;
}

stage future() {
  auto result = std::make_shared<troupe::future<int>>(troupe::async<never>());
  return {[=](const auto&) { static_cast<void>(result->get()); }};
}

stage join() {
  return {[child = keep()](const auto&) { child->join(); }};
}

stage restart_loop() {
  return {[](const std::stop_token& stop) {
    while (!stop.stop_requested())
      troupe::start<never>().join();
  }};
}

stage wait_any_process() {
  return {[child = keep()](const auto&) {
    static_cast<void>(troupe::wait_any(*child));
  }};
}

stage wait_any_queue() {
  troupe::queue<int> from;
  return {[=, child = keep(from)](const auto&) {
            static_cast<void>(troupe::wait_any(from));
          },
          [=] { from.put(1); }};
}

stage wait_any_future() {
  auto results = std::make_shared<std::vector<troupe::future<int>>>();
  results->push_back(troupe::async<never>());
  results->push_back(troupe::async<never>());
  return {[=](const auto&) { static_cast<void>(troupe::wait_any(*results)); }};
}

stage wait_any_event() {
  troupe::event set;
  return {[=, child = keep(set)](const auto&) {
            static_cast<void>(troupe::wait_any(set));
          },
          [=] { set.set(); }};
}

stage wait_any_held_queue() {
  auto holder = std::make_shared<troupe::state>();
  const auto from = holder->make<troupe::held::queue<int>>();
  return {[=](const auto&) {
            static_cast<void>(holder);
            static_cast<void>(troupe::wait_any(from));
          },
          [=] { from.put(1); }};
}

stage wait_any_mixed() {
  auto result = std::make_shared<troupe::future<int>>(troupe::async<never>());
  auto holder = std::make_shared<troupe::state>();
  const auto from = holder->make<troupe::held::queue<int>>();
  const troupe::event set;
  return {[=](const auto&) {
            static_cast<void>(holder);
            static_cast<void>(troupe::wait_any(*result, set, from, 5min));
          },
          [=] { from.put(1); }};
}

stage run_command() {
  return {[](const std::stop_token& stop) {
    static_cast<void>(troupe::run_command({"sleep", "300"}, {.stop = stop}));
  }};
}

stage queue_get() {
  troupe::queue<int> from;
  return {[=, child = keep(from)](const auto&) {
            static_cast<void>(from.get());
          },
          [=] { from.put(1); }};
}

stage queue_put() {
  troupe::queue<int> to{1};
  to.put(1);
  return {[=, child = keep(to)](const auto&) { to.put(2); },
          [=] { static_cast<void>(to.get()); }};
}

stage queue_join() {
  troupe::queue<int> tasks;
  tasks.put(1);
  return {[=, child = keep(tasks)](const auto&) { tasks.join(); },
          [=] {
            static_cast<void>(tasks.get());
            tasks.task_done();
          }};
}

stage pipe() {
  auto [mine, others] = troupe::pipe<int>();
  auto child = keep(others);
  others.close();
  return {
    [child, mine = mine](const auto&) { static_cast<void>(mine.receive()); }};
}

stage mutex() {
  troupe::mutex one;
  troupe::event locked;
  auto child = std::make_shared<troupe::process>(troupe::start(
    [](troupe::mutex held, troupe::event begun) {
      held.lock();
      begun.set();
      sleep_for_ever();
    },
    one, locked));
  locked.wait();
  return {[=, child = child](const auto&) {
    one.lock();
    one.unlock();
  }};
}

stage semaphore() {
  troupe::semaphore units{0};
  return {[=, child = keep(units)](const auto&) { units.acquire(); },
          [=] { units.release(); }};
}

stage condition() {
  troupe::mutex of;
  troupe::condition changed;
  return {[=, child = keep(of, changed)](const auto&) {
            std::unique_lock guard{of};
            changed.wait(guard);
          },
          [=] { changed.notify_all(); }};
}

stage event() {
  troupe::event set;
  return {[=, child = keep(set)](const auto&) { set.wait(); },
          [=] { set.set(); }};
}

stage barrier() {
  troupe::barrier all{3};
  auto child = std::make_shared<troupe::process>(troupe::start(
    [](troupe::barrier one) {
      one.arrive_and_wait();
      sleep_for_ever();
    },
    all));
  await([&] { return all.waiting() != 0; });
  return {[=, child = child](const auto&) { all.arrive_and_wait(); }};
}

stage state() {
  auto holder = std::make_shared<troupe::state>();
  const auto set = holder->make<troupe::held::event>();
  return {[=](const auto&) {
            static_cast<void>(holder);
            set.wait();
          },
          [=] { set.set(); }};
}

/// Promises an answer that it never gives.
caf::behavior silent(caf::event_based_actor* self) {
  return {[self](int) {
    static std::vector<caf::typed_response_promise<int>> kept;
    return kept.emplace_back(self->make_response_promise<int>());
  }};
}

caf::behavior doubling(caf::event_based_actor*) {
  return {[](int number) { return 2 * number; }};
}

stage request() {
  auto other = troupe::spawn<silent>();
  return {[=](const auto&) {
            caf::scoped_actor self{troupe::actor_system()};
            self->request(other, caf::infinite, 1)
              .receive([](int) {}, [](const caf::error&) {});
          },
          [=] { caf::anon_send_exit(other, caf::exit_reason::kill); }};
}

stage await_actors() {
  auto here = troupe::spawn<silent>(troupe::placement::here);
  return {[](const auto&) { troupe::await_actors(); },
          [=] { caf::anon_send_exit(here, caf::exit_reason::kill); }};
}

stage supervisor() {
  auto shop = std::make_shared<troupe::supervisor>(
    troupe::supervisor_options{},
    std::vector{
      troupe::child("a", [](caf::event_based_actor*) -> caf::behavior {
        return {[](int number) { return number; }};
      })});
  return {[=](const std::stop_token& stop) {
    await([&] { return !shop->is_alive() || stop.stop_requested(); }, 5min);
    // It lives, and so does its child.
    caf::scoped_actor self{troupe::actor_system()};
    self->request(shop->child("a"), caf::infinite, 1)
      .receive([](int) {},
               [](const caf::error& failure) {
                 std::cout << "the child: " << to_string(failure) << std::endl;
               });
  }};
}

auto two_workers() {
  return std::make_shared<troupe::pool>(2U);
}

stage map() {
  return {[pool = two_workers()](const auto&) {
    static_cast<void>(pool->map<never_ends>(std::views::iota(0, 100)));
  }};
}

stage apply() {
  return {[pool = two_workers()](const auto&) {
    static_cast<void>(pool->apply<never_ends>(1));
  }};
}

stage imap() {
  return {[pool = two_workers()](const auto&) {
    const std::vector<int> numbers(100);
    auto results = pool->imap<never_ends>(numbers, 1);
    static_cast<void>(results.next());
  }};
}

stage task_future() {
  return {[pool = two_workers()](const auto&) {
    auto result = pool->apply_async<never_ends>(1);
    static_cast<void>(result.get());
  }};
}

stage pool_join() {
  auto pool = two_workers();
  auto result = std::make_shared<troupe::task_future<int>>(
    pool->apply_async<never_ends>(1));
  return {[=](const auto&) {
    static_cast<void>(result);
    pool->close();
    pool->join();
  }};
}

stage handle_end() {
  return {[](const auto&) { auto child = troupe::start<never>(); }};
}

const std::map<std::string_view, stage (*)()> calls{
  {"future", future},
  {"join", join},
  {"restart_loop", restart_loop},
  {"wait_any_process", wait_any_process},
  {"wait_any_queue", wait_any_queue},
  {"wait_any_future", wait_any_future},
  {"wait_any_event", wait_any_event},
  {"wait_any_held_queue", wait_any_held_queue},
  {"wait_any_mixed", wait_any_mixed},
  {"run_command", run_command},
  {"queue_get", queue_get},
  {"queue_put", queue_put},
  {"queue_join", queue_join},
  {"pipe", pipe},
  {"mutex", mutex},
  {"semaphore", semaphore},
  {"condition", condition},
  {"event", event},
  {"barrier", barrier},
  {"state", state},
  {"request", request},
  {"await_actors", await_actors},
  {"supervisor", supervisor},
  {"map", map},
  {"apply", apply},
  {"imap", imap},
  {"task_future", task_future},
  {"pool_join", pool_join},
  {"handle_end", handle_end},
};

template <class Begin>
void try_to(const char* what, Begin begin) {
  try {
    begin();
    std::cout << what << ": it began" << std::endl;
  } catch (const troupe::cancelled&) {
    std::cout << what << ": cancelled" << std::endl;
  }
}

int waits(const stage& in) {
  in.wait({});
  // Not before it dies of the signal.
  std::cout << "main went on" << std::endl;
  return 7;
}

int listens(const stage& in, const std::stop_token& stop) {
  troupe::state holder;
  auto numbers = holder.make<troupe::held::dict<std::string, long>>();
  numbers["x"] = 41;
  const auto actor = troupe::spawn<doubling>();
  std::thread saves{[&] {
    std::mutex mutex;
    std::condition_variable_any asked;
    std::unique_lock guard{mutex};
    static_cast<void>(asked.wait(guard, stop, [] { return false; }));
    numbers["x"] += 1;
    std::cout << "saved " << numbers.at("x") << std::endl;
    caf::scoped_actor self{troupe::actor_system()};
    self->request(actor, caf::infinite, 21)
      .receive(
        [](int answer) {
          std::cout << "an actor says " << answer << std::endl;
        },
        [](const caf::error& failure) {
          std::cout << to_string(failure) << std::endl;
        });
    try_to("start", [] { troupe::start<never>().detach(); });
    try_to("async", [] { static_cast<void>(troupe::async<never>()); });
    try_to("spawn", [] { static_cast<void>(troupe::spawn<silent>()); });
    try_to("state", [] { const troupe::state another; });
    // `await_actors` waits for it, too.
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    in.let_go();
  }};
  std::cout << "ready" << std::endl;
  try {
    in.wait(stop);
  } catch (const troupe::error&) {
    // A plain child has died of the signal, or the call was cancelled.
  }
  saves.join();
  return 7;
}

} // namespace

int main(int argc, char** argv) {
  troupe::run_options options;
  // Nothing here may need it.
  options.grace = 5min;
  troupe::program program{argc, argv, options};
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "names") {
    for (const auto& each : calls)
      std::cout << each.first << '\n';
    return 0;
  }
  const auto found = calls.find(name);
  if (found == calls.end())
    return 99;
  if (std::string_view{argc > 2 ? argv[2] : ""} == "listens") {
    const auto stop = troupe::interrupt_token(troupe::signals::interrupt
                                              | troupe::signals::terminate);
    return listens(found->second(), stop);
  }
  const auto in = found->second();
  std::cout << "ready" << std::endl;
  return waits(in);
}
