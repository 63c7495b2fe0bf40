// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/task_wait.hpp>

#include <troupe/channel/queue.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>

#include <support/blocked.hpp>
#include <support/eventually.hpp>
#include <support/sleeping.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using troupe::as_completed;
using troupe::deadline;
using troupe::wait_all;
using troupe::wait_any;
using troupe::test::await;
using troupe::test::await_blocked_in;
using troupe::test::eventually;
using troupe::test::wait_kind;

namespace {

using gate = troupe::value<int>;
using results = std::vector<troupe::task_future<int>>;

int product(int a, int b) {
  return a * b;
}

/// Its result comes when `open` is at least `number`.
int gated(int number, gate open) {
  await([&] { return open >= number; });
  return number;
}

int twice(int number) {
  return 2 * number;
}

int refuses(gate open) {
  gated(1, open);
  throw std::runtime_error{"refused"};
}

void never_starts() {
  troupe::test::sleep_for_ever();
}

/// Whether nobody has asked it to stop by the time that `open` is 2.
bool undisturbed(gate begun, gate open) {
  const auto asked = troupe::this_task::stop_token();
  begun.store(1);
  await([&] { return open >= 2; });
  // Who is asked is woken; that is over when it sleeps.
  return await_blocked_in(troupe::os::this_pid(), wait_kind::stop_request)
         && !asked.stop_requested();
}

/// Cancels a task that is done, its result unread, while its worker runs
/// another. Returns false if the worker was not given both.
bool cancel_done_task(bool by_force) {
  std::atomic<int> step = 0;
  gate open{0};
  gate begun{0};
  troupe::pool pool{1};
  // In a callback the thread of the pool reads no results.
  pool.apply_async<gated>(1, open).when_done([&] {
    step = 1;
    await([&] { return step != 1; });
  });
  open = 1;
  REQUIRE(eventually([&] { return step == 1; }));
  // Of short tasks a worker is given more than one.
  const std::vector<std::tuple<int, int>> pairs(200);
  static_cast<void>(pool.starmap<product>(pairs, 1));
  auto done = pool.apply_async<product>(6, 7);
  auto runs = pool.apply_async<undisturbed>(begun, open);
  const bool both = eventually([&] { return begun == 1; }, 2s);
  if (both) {
    if (by_force)
      done.kill();
    else
      done.cancel();
  }
  open = 2;
  step = 2;
  if (!both)
    return false;
  CHECK(runs.get());
  CHECK(done.get() == 42);
  return true;
}

} // namespace

TEST_CASE("the first result that is there is waited for") {
  troupe::pool pool{2};
  gate open{0};
  results of;
  of.push_back(pool.apply_async<gated>(1, open));
  of.push_back(pool.apply_async<product>(21, 2));
  CHECK(wait_any(of) == 1);
  CHECK_FALSE(of[0].is_ready());
  CHECK(of[1].get() == 42);
  // One that has given its result is passed over.
  CHECK_FALSE(wait_any(of, deadline::after(10ms)));
  open = 1;
  CHECK(wait_any(of) == 0);
  of.push_back(pool.apply_async<gated>(2, open));
  // The first of those that are ready.
  CHECK(wait_any(of) == 0);
  CHECK(of[0].get() == 1);
  open = 2;
  CHECK(of[2].get() == 2);
  CHECK_FALSE(wait_any(of));
  CHECK_FALSE(wait_any(results{}));
}

TEST_CASE("all results are waited for, failed and cancelled ones too") {
  troupe::pool pool{2};
  gate open{0};
  results of;
  of.push_back(pool.apply_async<refuses>(open));
  of.push_back(pool.apply_async<gated>(1, open));
  of.push_back(pool.apply_async<product>(2, 21));
  of.push_back(pool.apply_async<product>(2, 22));
  of[3].cancel();
  CHECK_FALSE(wait_all(of, deadline::after(20ms)));
  CHECK(of[3].is_ready());
  open = 1;
  CHECK(wait_all(of));
  for (const auto& each : of)
    CHECK(each.is_ready());
  CHECK_THROWS_AS(of[0].get(), troupe::remote_error);
  CHECK_THROWS_AS(of[3].get(), troupe::cancelled);
  CHECK(wait_all(results{}));
}

TEST_CASE("results come as they are completed, each once") {
  troupe::pool pool{3};
  gate open{0};
  results of;
  of.push_back(pool.apply_async<gated>(3, open));
  of.push_back(pool.apply_async<gated>(1, open));
  of.push_back(pool.apply_async<gated>(2, open));
  std::vector<int> values;
  open = 1;
  for (const auto index : as_completed(of)) {
    values.push_back(of[index].get());
    ++open;
  }
  CHECK(values == std::vector{1, 2, 3});
  CHECK_FALSE(as_completed(of).next());
}

TEST_CASE("with a limit, as_completed gives what there is and then times out") {
  troupe::pool pool{2};
  gate open{0};
  results of;
  of.push_back(pool.apply_async<gated>(1, open));
  of.push_back(pool.apply_async<product>(2, 3));
  of.push_back(pool.apply_async<product>(2, 4));
  of[1].wait();
  of[2].wait();
  std::vector<std::size_t> given;
  as_completed some{of, deadline::now()};
  CHECK_THROWS_AS(
    [&] {
      while (const auto index = some.next())
        given.push_back(*index);
    }(),
    troupe::timed_out);
  CHECK(given == std::vector<std::size_t>{1, 2});
  open = 1;
  CHECK(of[0].get() == 1);
}

TEST_CASE("the first failure is heard of while others still run") {
  troupe::pool pool{2};
  gate open{0};
  gate later{0};
  results of;
  of.push_back(pool.apply_async<gated>(1, later));
  of.push_back(pool.apply_async<refuses>(open));
  open = 1;
  CHECK_THROWS_AS(
    [&] {
      for (const auto index : as_completed(of))
        static_cast<void>(of[index].get());
    }(),
    troupe::remote_error);
  CHECK_FALSE(of[0].is_ready());
  later = 1;
  CHECK(of[0].get() == 1);
}

TEST_CASE("results of different pools are waited for together") {
  troupe::pool one{1};
  troupe::pool other{1};
  gate open{0};
  gate later{0};
  results of;
  of.push_back(one.apply_async<gated>(1, later));
  of.push_back(other.apply_async<gated>(1, open));
  CHECK_FALSE(wait_any(of, 5ms));
  CHECK_FALSE(wait_all(of, deadline::after(5ms)));
  open = 1;
  CHECK(wait_any(of, 60s) == 1);
  later = 1;
  CHECK(wait_all(of, 60s));
  std::vector<std::size_t> order;
  for (const auto index : as_completed(of)) {
    order.push_back(index);
    static_cast<void>(of[index].get());
  }
  CHECK(order == std::vector<std::size_t>{0, 1});
  CHECK_FALSE(wait_any(of));
  as_completed none{of, 1ms};
  CHECK_FALSE(none.next());
}

TEST_CASE(
  "a task's result is waited for beside a queue, a future, an event and "
  "a descriptor") {
  troupe::pool pool{1};
  gate open{0};
  const troupe::queue<int> numbers;
  const troupe::event news;
  const auto ends = troupe::os::make_pipe();
  const int fd = ends.reader.get();
  auto task = pool.apply_async<gated>(5, open);
  auto future = troupe::async<gated>(5, open);
  CHECK(wait_any(task, future, numbers, news, 5ms) == 4);
  CHECK(wait_any(task, future, numbers, news, fd, 5ms) == 5);
  numbers.put(1);
  CHECK(wait_any(task, future, numbers, news, fd, 60s) == 2);
  static_cast<void>(numbers.get());
  open = 5;
  CHECK(wait_any(numbers, task, fd, 60s) == 1);
  CHECK(wait_any(numbers, news, task, 60s) == 2);
  CHECK(task.get() == 5);
  CHECK(wait_any(numbers, task, future, news, 60s) == 2);
  CHECK(future.get() == 5);
  // Nothing is to come of either.
  CHECK(wait_any(task, future, numbers, 1ms) == 3);
  auto all = pool.map_async<twice>(std::vector{1, 2, 3});
  CHECK(wait_any(numbers, all, 60s) == 1);
  CHECK(all.get() == std::vector{2, 4, 6});
}

TEST_CASE(
  "a result is told also while another thread, or the pool's own, takes "
  "results") {
  troupe::pool pool{2};
  const troupe::queue<int> numbers;
  for (int round = 0; round < 20; ++round) {
    gate open{0};
    auto mine = pool.apply_async<gated>(1, open);
    auto others = pool.apply_async<gated>(2, open);
    std::atomic<bool> called{false};
    if (round % 2 == 0)
      others.when_done([&] { called = true; });
    std::jthread waits{[&] { others.wait(); }};
    std::jthread opens{[&] { open = 1; }};
    REQUIRE(wait_any(numbers, mine, 60s) == 1);
    CHECK(mine.get() == 1);
    open = 2;
    waits.join();
    CHECK(others.get() == 2);
    if (round % 2 == 0)
      CHECK(eventually([&] { return called.load(); }));
  }
}

TEST_CASE("threads wait for results of one pool beside other things") {
  troupe::pool pool{2};
  const troupe::queue<int> numbers;
  gate open{0};
  std::atomic<int> sum = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 1; i <= 6; ++i)
      threads.emplace_back([&, i] {
        auto result = pool.apply_async<gated>(i, open);
        if (wait_any(result, numbers, 60s) == 0)
          sum += result.get();
      });
    open = 6;
  }
  CHECK(sum == 21);
}

TEST_CASE("the death of a worker, its limit and a cancel end the wait") {
  const troupe::queue<int> numbers;
  gate open{0};
  {
    troupe::pool pool{1};
    auto lost = pool.apply_async<gated>(1, open);
    std::jthread killer{[&] {
      // Whether the task has begun or not: then it is given to the next one.
      pool.workers().front().kill();
      open = 1;
    }};
    CHECK(wait_any(numbers, lost, 60s) == 1);
    auto cancelled = pool.apply_async<gated>(3, open);
    std::jthread canceller{[&] { cancelled.kill(); }};
    CHECK(wait_any(numbers, cancelled, 60s) == 1);
    CHECK_THROWS_AS(static_cast<void>(cancelled.get()), troupe::cancelled);
  }
  troupe::pool hasty{{.size = 1, .hard_limit = 30ms}};
  auto late = hasty.apply_async<gated>(100, open);
  CHECK(wait_any(numbers, late, 60s) == 1);
  CHECK_THROWS_AS(static_cast<void>(late.get()), troupe::timed_out);
  auto ended = hasty.apply_async<gated>(100, open);
  std::jthread terminator{[&] { hasty.terminate(); }};
  CHECK(wait_any(numbers, ended, 60s) == 1);
  CHECK_THROWS_AS(static_cast<void>(ended.get()), troupe::error);
}

TEST_CASE("no result is missed, however soon it comes") {
  troupe::pool pool{2};
  const troupe::queue<int> numbers;
  const auto ends = troupe::os::make_pipe();
  for (int i = 0; i < 2000; ++i) {
    auto result = pool.apply_async<product>(i, 2);
    const auto ready = i % 2 == 0 ? wait_any(numbers, result, 60s)
                                  : wait_any(ends.reader.get(), result, 60s);
    REQUIRE(ready == 1);
    CHECK(result.get() == 2 * i);
  }
}

TEST_CASE("many threads wait for the same hundred results") {
  troupe::pool pool{4};
  gate open{0};
  results of;
  for (int i = 0; i < 100; ++i)
    of.push_back(pool.apply_async<gated>(1, open));
  std::atomic<int> done = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      if (wait_all(of))
        ++done;
    });
  open = 1;
  for (auto& each : threads)
    each.join();
  CHECK(done == 4);
}

TEST_CASE("to cancel what is done leaves alone what its worker runs now") {
  for (const bool by_force : {false, true})
    CHECK(eventually([&] { return cancel_done_task(by_force); }));
}

TEST_CASE("a task that waits for an initialiser is cancelled by force") {
  troupe::pool pool{{.size = 1},
                    troupe::worker_hooks{}.on_start<never_starts>()};
  auto result = pool.apply_async<product>(6, 7);
  result.kill();
  CHECK_THROWS_AS(static_cast<void>(result.get()), troupe::cancelled);
}

TEST_CASE("a pool that only a callback owns ends after it") {
  for (int round = 0; round < 20; ++round) {
    auto pool = std::make_shared<troupe::pool>(1);
    gate open{0};
    std::atomic<int> given = 0;
    const auto worker = pool->workers().front();
    const std::weak_ptr<troupe::pooling::dispatcher> core = pool->core();
    auto result = pool->apply_async<gated>(1, open);
    result.when_done(
      [&given, pool, result]() mutable { given = result.get(); });
    result = {};
    pool.reset();
    open = 1;
    CHECK(eventually([&] { return core.expired() && !worker.is_alive(); }));
    CHECK(given == 1);
  }
}

TEST_CASE("a callback may outlive its pool") {
  for (int round = 0; round < 20; ++round) {
    auto mark = std::make_shared<int>();
    const std::weak_ptr<int> left = mark;
    auto pool = std::make_unique<troupe::pool>(troupe::pool_options{
      .size = 1, .report = [mark](const troupe::restart_report&) {}});
    mark.reset();
    gate open{0};
    std::atomic<int> step = 0;
    auto result = pool->apply_async<gated>(1, open);
    result.when_done([&step, result] {
      step = 1;
      await([&] { return step != 1; });
    });
    open = 1;
    REQUIRE(eventually([&] { return step == 1; }));
    pool.reset();
    CHECK(result.get() == 1);
    step = 2;
    // Its options go with all the rest of it.
    CHECK(eventually([&] { return left.expired(); }));
  }
}

TEST_CASE("each callback of a result is called, in order") {
  troupe::pool pool{1};
  gate open{0};
  const auto result = pool.apply_async<gated>(1, open);
  std::mutex mutex;
  std::string called;
  for (const char message : {'a', 'b', 'c'})
    result.when_done([&, message] {
      const std::scoped_lock guard{mutex};
      called += message;
    });
  open = 1;
  CHECK(eventually([&] {
    const std::scoped_lock guard{mutex};
    return called == "abc";
  }));
}
