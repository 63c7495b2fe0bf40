// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/task_wait.hpp>

#include <troupe/pool/pool.hpp>
#include <troupe/shared/value.hpp>

#include <support/eventually.hpp>

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

#include <unistd.h>

using namespace std::chrono_literals;
using troupe::as_completed;
using troupe::deadline;
using troupe::wait_all;
using troupe::wait_any;
using troupe::test::eventually;

namespace {

using gate = troupe::value<int>;
using results = std::vector<troupe::task_future<int>>;

int product(int a, int b) {
  return a * b;
}

/// Its result comes when `open` is at least `number`.
int gated(int number, gate open) {
  while (open < number)
    std::this_thread::sleep_for(1ms);
  return number;
}

int refuses(gate open) {
  gated(1, open);
  throw std::runtime_error{"refused"};
}

void never_starts() {
  for (;;)
    ::pause();
}

/// Whether nobody has asked it to stop by the time that `open` is 2.
bool undisturbed(gate begun, gate open) {
  const auto asked = troupe::this_task::stop_token();
  begun.store(1);
  while (open < 2)
    std::this_thread::sleep_for(1ms);
  // To be asked takes a moment.
  std::this_thread::sleep_for(20ms);
  return !asked.stop_requested();
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
    while (step == 1)
      std::this_thread::sleep_for(100us);
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

TEST_CASE("results of different pools are not waited for together") {
  troupe::pool one{1};
  troupe::pool other{1};
  results of;
  of.push_back(one.apply_async<product>(1, 2));
  of.push_back(other.apply_async<product>(1, 2));
  CHECK_THROWS_AS(static_cast<void>(wait_any(of)), troupe::invalid_argument);
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
      while (step == 1)
        std::this_thread::sleep_for(100us);
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
  for (const char letter : {'a', 'b', 'c'})
    result.when_done([&, letter] {
      const std::scoped_lock guard{mutex};
      called += letter;
    });
  open = 1;
  CHECK(eventually([&] {
    const std::scoped_lock guard{mutex};
    return called == "abc";
  }));
}
