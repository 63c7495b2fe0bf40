// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/copy.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/shared/buffer.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>

#include <support/eventually.hpp>
#include <support/patience.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <numeric>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

long square(long number) {
  return number * number;
}

std::string joined(const std::string& a, int times) {
  std::string result;
  for (int i = 0; i < times; ++i)
    result += a;
  return result;
}

int fails_on_odd(int number) {
  if (number % 2 != 0)
    throw std::domain_error{"odd: " + std::to_string(number)};
  return number;
}

int dies_on_seven(int number) {
  if (number == 7) {
    std::cerr << "seven is too much" << std::endl;
    std::abort();
  }
  return number;
}

void fail_at_length(int number, troupe::value<int> runs) {
  ++runs;
  throw std::invalid_argument{
    std::string(std::size_t{1} << 20, static_cast<char>('0' + number))};
}

std::vector<long> numbers(long count) {
  std::vector<long> result(static_cast<std::size_t>(count));
  std::iota(result.begin(), result.end(), 0L);
  return result;
}

} // namespace

TEST_CASE("apply gives the result of a function in another process") {
  troupe::pool pool{2};
  CHECK(pool.apply<square>(7) == 49);
  CHECK(pool.apply<joined>("ab", 3) == "ababab");
  CHECK(pool.apply([] { return ::getpid(); }) != ::getpid());
}

TEST_CASE("map gives results in the order of the input") {
  troupe::pool pool{2};
  const auto input = numbers(10'000);
  for (const std::size_t chunk : {0U, 1U, 7U, 100'000U}) {
    CAPTURE(chunk);
    const auto result = pool.map<square>(input, chunk);
    REQUIRE(result.size() == input.size());
    bool right = true;
    for (const auto each : input)
      right = right && result[static_cast<std::size_t>(each)] == each * each;
    CHECK(right);
  }
  CHECK(pool.map<square>(std::vector<long>{}).empty());
}

TEST_CASE("starmap unpacks its arguments") {
  troupe::pool pool{2};
  const std::vector<std::tuple<std::string, int>> input{{"a", 2}, {"bc", 1}};
  CHECK(pool.starmap<joined>(input) == std::vector<std::string>{"aa", "bc"});
  auto later = pool.starmap_async<joined>(input, 1);
  CHECK(later.get() == std::vector<std::string>{"aa", "bc"});
}

TEST_CASE("an exception comes back with its type, its text and its worker") {
  troupe::pool pool{2};
  try {
    static_cast<void>(pool.apply<fails_on_odd>(3));
    FAIL("nothing was thrown");
  } catch (const troupe::remote_error& failure) {
    CHECK(failure.code() == troupe::errc::remote_exception);
    CHECK(failure.type() == "std::domain_error");
    CHECK(failure.text() == "odd: 3");
    CHECK(failure.process_name().starts_with("pool-"));
    CHECK(failure.pid() > 0);
  }
  CHECK(pool.apply<fails_on_odd>(4) == 4);
}

TEST_CASE("a task's exception without text, or with others inside, leaves the "
          "worker alive") {
  struct silent : std::exception {
    [[nodiscard]] const char* what() const noexcept override {
      return nullptr;
    }
  };
  troupe::pool pool{1};
  const auto worker = pool.workers().front();
  try {
    pool.apply([] { throw silent{}; });
    FAIL("nothing was thrown");
  } catch (const troupe::remote_error& failure) {
    CHECK(failure.type().ends_with("silent"));
    CHECK(failure.text().empty());
  }
  try {
    pool.apply([] {
      try {
        fails_on_odd(5);
      } catch (...) {
        std::throw_with_nested(std::runtime_error{"not computed"});
      }
    });
    FAIL("nothing was thrown");
  } catch (const troupe::remote_error& failure) {
    CHECK(failure.text() == "not computed");
    REQUIRE(failure.causes().size() == 1);
    CHECK(failure.causes()[0].type == "std::domain_error");
    CHECK(failure.causes()[0].text == "odd: 5");
    CHECK_THROWS_AS(std::rethrow_if_nested(failure), troupe::remote_error);
  }
  CHECK_THROWS_AS(pool.apply([] { throw 1; }), troupe::remote_error);
  CHECK(pool.workers().front() == worker);
}

TEST_CASE("the other tasks of a map go on when one fails") {
  troupe::pool pool{2};
  auto stream = pool.imap<fails_on_odd>(std::views::iota(0, 10), 4);
  int good = 0;
  int bad = 0;
  for (bool more = true; more;)
    try {
      more = stream.next().has_value();
      good += more ? 1 : 0;
    } catch (const troupe::remote_error&) {
      ++bad;
    }
  CHECK(good == 5);
  CHECK(bad == 5);
  // Nor does a map give up: it throws when all have been run, and large
  // exceptions stop up nothing.
  const troupe::value<int> runs{0};
  const std::vector<std::tuple<int, troupe::value<int>>> input{
    {0, runs}, {1, runs}, {2, runs}, {3, runs}};
  try {
    pool.starmap<fail_at_length>(input, 1);
    FAIL("nothing was thrown");
  } catch (const troupe::remote_error& failure) {
    CHECK(failure.text() == std::string(1 << 20, '0'));
  }
  CHECK(runs == 4);
  pool.close();
  pool.join();
}

TEST_CASE("a task that kills its worker fails alone, with the story") {
  troupe::pool pool{2};
  for (const std::size_t chunk : {1U, 5U, 20U}) {
    CAPTURE(chunk);
    auto stream = pool.imap<dies_on_seven>(std::views::iota(0, 20), chunk);
    std::vector<int> good;
    std::string story;
    for (bool more = true; more;)
      try {
        const auto each = stream.next();
        more = each.has_value();
        if (each)
          good.push_back(*each);
      } catch (const troupe::remote_error& failure) {
        CHECK(failure.code() == troupe::errc::process_died);
        story += failure.what();
      }
    CHECK(good.size() == 19);
    CHECK(story.find("SIGABRT") != std::string::npos);
    CHECK(story.find("seven is too much") != std::string::npos);
  }
  CHECK(pool.workers().size() == 2);
}

TEST_CASE("imap reads its input lazily, endless or not") {
  troupe::pool pool{2};
  std::atomic<long> read = 0;
  auto input = std::views::iota(0L) | std::views::transform([&](long each) {
                 ++read;
                 return each;
               });
  auto stream = pool.imap<square>(input);
  for (long expected = 0; expected < 1000; ++expected)
    REQUIRE(stream.next() == expected * expected);
  CHECK(read < 1000 + 2 * 64 + 2);
}

TEST_CASE("imap_unordered gives every result once") {
  troupe::pool pool{2};
  std::multiset<long> seen;
  for (const auto each : pool.imap_unordered<square>(numbers(2000)))
    seen.insert(each);
  std::multiset<long> expected;
  for (const auto each : numbers(2000))
    expected.insert(each * each);
  CHECK(seen == expected);
}

TEST_CASE("futures are ready, waited for, and called back") {
  troupe::pool pool{2};
  auto first = pool.apply_async<square>(5);
  std::atomic<bool> called = false;
  first.when_done([&] { called = true; });
  auto many = pool.map_async<square>(numbers(100), 3);
  CHECK(first.wait_for(30s) == std::future_status::ready);
  CHECK(troupe::test::eventually([&] { return called.load(); }));
  CHECK(first.is_ready());
  CHECK(first.get() == 25);
  CHECK_FALSE(first.valid());
  CHECK(many.get().back() == 99 * 99);
  auto slow = pool.apply_async([] { ::pause(); });
  CHECK(slow.wait_for(10ms) == std::future_status::timeout);
  CHECK_FALSE(slow.is_ready());
  slow.kill();
  CHECK_THROWS_AS(slow.get(), troupe::cancelled);
  CHECK(pool.apply<square>(6) == 36);
}

TEST_CASE("callbacks come though nobody waits, one after the other") {
  troupe::pool pool{1};
  for (long i = 0; i < 2000; ++i) {
    auto called = std::make_shared<std::atomic<bool>>(false);
    const auto result = pool.apply_async<square>(i);
    result.when_done([called] { *called = true; });
    REQUIRE(troupe::test::eventually([&] { return called->load(); }));
  }
}

TEST_CASE("results that nobody waits for any more do no harm") {
  troupe::pool pool{2};
  troupe::value<int> runs{0};
  for (int i = 0; i < 500; ++i)
    static_cast<void>(pool.apply_async(
      [](troupe::value<int> count) {
        ++count;
        return std::string(300, 'x');
      },
      runs));
  CHECK(troupe::test::eventually([&] { return runs == 500; }));
  CHECK(pool.apply<square>(3) == 9);
}

TEST_CASE("tasks that have not begun are cancelled, and cost nothing") {
  troupe::pool pool{1};
  auto block = pool.apply_async([] { ::pause(); });
  auto waiting = pool.map_async<square>(numbers(100), 1);
  waiting.cancel();
  CHECK_THROWS_AS(static_cast<void>(waiting.get()), troupe::cancelled);
  block.kill();
  CHECK_THROWS_AS(block.get(), troupe::cancelled);
}

TEST_CASE("a soft limit asks, a hard limit kills") {
  troupe::pool soft{{.size = 1, .soft_limit = 30ms}};
  CHECK(soft.apply([] {
    const auto token = troupe::this_task::stop_token();
    while (!token.stop_requested())
      std::this_thread::yield();
    return 17;
  }) == 17);
  // The second task has to end in it, on a machine that is busy, too.
  troupe::pool hard{
    {.size = 1, .hard_limit = 200ms * troupe::test::patience()}};
  CHECK_THROWS_AS(hard.apply([] { ::pause(); }), troupe::timed_out);
  CHECK(hard.apply<square>(3) == 9);
}

TEST_CASE("a task is run again as often as retries say") {
  troupe::pool pool{{.size = 1, .retries = 2}};
  troupe::value<int> runs{0};
  CHECK_THROWS_AS(pool.apply(
                    [](troupe::value<int> count) {
                      ++count;
                      ::raise(SIGKILL);
                    },
                    runs),
                  troupe::remote_error);
  CHECK(runs == 3);
  const auto good = pool.apply(
    [](troupe::value<int> count) {
      if (++count < 6)
        ::_exit(3);
      return 11;
    },
    runs);
  CHECK(good == 11);
}

namespace {

struct counter {
  int tasks = 0;
};

counter make_counter(int from) {
  return {from};
}

int count_up() {
  return ++troupe::worker_state<counter>().tasks;
}

troupe::value<int> ended_workers(int start) {
  return troupe::value<int>{start};
}

} // namespace

TEST_CASE("a worker keeps what its initialiser returned") {
  troupe::pool pool{{.size = 1},
                    troupe::worker_hooks{}.on_start<make_counter>(10)};
  CHECK(pool.apply<count_up>() == 11);
  CHECK(pool.apply<count_up>() == 12);
  pool.workers().front().kill();
  // Whoever finds it dead starts another, with a state of its own.
  CHECK(troupe::test::eventually([&] {
    try {
      return pool.apply<count_up>() == 11;
    } catch (const troupe::remote_error&) {
      return false;
    }
  }));
}

TEST_CASE("what a worker starts with is not taken back with its tasks") {
  troupe::pool pool{{.size = 8},
                    troupe::worker_hooks{}.on_start<make_counter>(10)};
  const auto workers = pool.workers();
  // The last of them have hardly begun: all lies in their mailboxes.
  auto cancelled = pool.map_async<square>(numbers(100), 1);
  cancelled.cancel();
  for (const auto sum :
       pool.map([](int) { return count_up(); }, std::views::iota(0, 100), 1))
    CHECK(sum > 10);
  CHECK(pool.workers() == workers);
}

TEST_CASE("a worker is replaced after as many tasks as it may run") {
  troupe::pool pool{{.size = 1, .tasks_per_worker = 2}};
  std::set<int> pids;
  for (int i = 0; i < 6; ++i)
    pids.insert(pool.apply([] { return static_cast<int>(::getpid()); }));
  CHECK(pids.size() == 3);
}

TEST_CASE("a pool whose workers are replaced after each task ends when it is "
          "closed early") {
  troupe::pool pool{{.size = 3, .tasks_per_worker = 1}};
  const troupe::event closed;
  std::vector<troupe::task_future<int>> results;
  for (int i = 0; i < 12; ++i)
    results.push_back(pool.apply_async(
      [](int number, const troupe::event& go) {
        go.wait();
        return number;
      },
      i, closed));
  pool.close();
  closed.set();
  pool.join();
  for (int i = 0; i < 12; ++i)
    CHECK(results[static_cast<std::size_t>(i)].get() == i);
}

TEST_CASE("a pool whose workers cannot start says why") {
  troupe::pool pool{{.size = 2},
                    troupe::worker_hooks{}.on_start<fails_on_odd>(1)};
  try {
    static_cast<void>(pool.apply<square>(1));
    FAIL("nothing was thrown");
  } catch (const troupe::error& failure) {
    CHECK(std::string{failure.what()}.find("odd: 1") != std::string::npos);
  }
}

TEST_CASE("close and join run what was submitted, and then no more") {
  troupe::pool pool{2};
  auto results = pool.map_async<square>(numbers(1000), 1);
  pool.close();
  CHECK_THROWS_AS(static_cast<void>(pool.apply<square>(1)), troupe::closed);
  pool.join();
  CHECK(results.get().size() == 1000);
  CHECK(pool.workers().empty());
}

TEST_CASE("join with a limit waits no longer") {
  troupe::pool pool{1};
  const troupe::event go;
  auto result
    = pool.apply_async([](const troupe::event& start) { start.wait(); }, go);
  pool.close();
  CHECK_FALSE(pool.join_for(5ms));
  CHECK_FALSE(pool.join_until(std::chrono::system_clock::now() + 5ms));
  go.set();
  CHECK(pool.join_until(std::chrono::system_clock::now() + 60s));
  CHECK(result.is_ready());
  CHECK(pool.workers().empty());
}

TEST_CASE("terminate ends a pool whose tasks do not end") {
  troupe::pool pool{2};
  auto endless = pool.apply_async([] {
    for (;;)
      ::pause();
  });
  auto many = pool.map_async([](int) { ::pause(); },
                             std::views::iota(0, 10'000), 1);
  pool.terminate();
  CHECK_THROWS_AS(endless.get(), troupe::cancelled);
  CHECK_THROWS_AS(many.get(), troupe::cancelled);
  CHECK_THROWS_AS(static_cast<void>(pool.apply<square>(1)), troupe::closed);
  pool.join();
}

TEST_CASE("a pool may be used by many threads and nested in tasks") {
  troupe::pool pool{2};
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (long base = 0; base < 4; ++base)
    threads.emplace_back([&, base] {
      for (long i = 0; i < 200; ++i)
        if (pool.apply<square>(base * 1000 + i)
            == (base * 1000 + i) * (base * 1000 + i))
          ++right;
    });
  for (auto& each : threads)
    each.join();
  CHECK(right == 800);
  CHECK(pool.apply(
          [](long number) {
            troupe::pool inner{2};
            return inner.apply<square>(number);
          },
          12)
        == 144);
}

TEST_CASE("large results and handles travel, and buffers are not copied") {
  troupe::pool pool{2};
  const auto large = pool.apply(
    [](std::size_t size) { return std::string(size, 'x'); }, 64 << 20);
  CHECK(large.size() == 64 << 20);
  troupe::value<int> shared{0};
  pool.apply([](troupe::value<int> each) { each = 42; }, shared);
  CHECK(shared == 42);
  CHECK(pool.apply<ended_workers>(5) == 5);
}

TEST_CASE("a large result is copied in and out, and a buffer not at all") {
  constexpr std::size_t size = 64 << 20;
  troupe::pool pool{1};
  const auto copied_there = [&] {
    return pool.apply([] { return troupe::copied_bytes(); });
  };
  const auto here = troupe::copied_bytes();
  const auto there = copied_there();
  const auto large = pool.apply(
    [](std::size_t wanted) {
      std::vector<double> result(wanted / sizeof(double));
      std::iota(result.begin(), result.end(), 0.0);
      return result;
    },
    size);
  REQUIRE(large.size() == size / sizeof(double));
  CHECK(large.back() == static_cast<double>(large.size() - 1));
  CHECK(copied_there() - there == size);
  CHECK(troupe::copied_bytes() - here == size);

  const auto shared = pool.apply(
    [](std::size_t wanted) {
      const troupe::buffer result{wanted};
      std::ranges::fill(result, std::byte{7});
      return result;
    },
    size);
  CHECK(std::ranges::count(shared, std::byte{7}) == size);
  CHECK(copied_there() - there == size);
  CHECK(troupe::copied_bytes() - here == size);
}

TEST_CASE("a pool answers while terminate waits for its killed workers") {
  troupe::pool pool{2};
  REQUIRE(pool.apply<square>(2) == 4);
  // Stopped, it takes no notice of deaths, and whoever joins waits.
  const auto server
    = troupe::memory::run_memory::current().header().fork_server.load();
  REQUIRE(::kill(server, SIGSTOP) == 0);
  std::atomic<bool> ended = false;
  std::thread ending{[&] {
    pool.terminate();
    ended = true;
  }};
  CHECK(troupe::test::eventually([&] { return pool.workers().empty(); }));
  CHECK_THROWS_AS(static_cast<void>(pool.apply<square>(3)), troupe::closed);
  CHECK_FALSE(ended);
  REQUIRE(::kill(server, SIGCONT) == 0);
  ending.join();
  pool.join();
}

TEST_CASE("progress is told until all is done") {
  troupe::pool pool{2};
  std::size_t last = 0;
  std::size_t total = 0;
  pool.on_progress([&](std::size_t done, std::size_t all) {
    CHECK(done >= last);
    last = done;
    total = all;
  });
  static_cast<void>(pool.map<square>(numbers(100), 10));
  CHECK(troupe::test::eventually([&] { return last == 100; }));
  CHECK(total == 100);
}

namespace {

/// How many of these throw `invalid_state`.
template <class... Fs>
int refused(Fs... all) {
  int count = 0;
  const auto attempt = [&](auto& one) {
    try {
      one();
    } catch (const troupe::invalid_state&) {
      ++count;
    }
  };
  (attempt(all), ...);
  return count;
}

} // namespace

TEST_CASE("a copy that the user forked off does nothing to a pool") {
  troupe::value<int> go;
  const auto wait_for_it = [](int number, troupe::value<int> flag) {
    troupe::test::await([&] { return flag != 0; });
    return number;
  };
  troupe::pool pool{2};
  const auto workers = pool.workers();
  // A thread of the pool sleeps at the fork, as well as one that waits.
  auto result = pool.apply_async(wait_for_it, 1, go);
  std::thread waiting{[&] { CHECK(pool.apply(wait_for_it, 2, go) == 2); }};
  auto stream = pool.imap<square>(std::views::iota(0L, 10L));
  const auto forked = ::fork();
  if (forked == 0) {
    // What hangs must not hang the test.
    ::alarm(60);
    const int count = refused([&] { static_cast<void>(result.get()); },
                              [&] { static_cast<void>(result.is_ready()); },
                              [&] { result.cancel(); },
                              [&] { result.when_done([] {}); },
                              [&] { static_cast<void>(stream.next()); },
                              [&] { static_cast<void>(pool.apply<square>(1)); },
                              [&] { pool.close(); }, [&] { pool.join(); });
    {
      const auto first = std::move(stream);
      pool.terminate();
      const auto second = std::move(pool);
      const auto third = std::move(result);
    }
    ::_exit(count == 8 ? 0 : 1);
  }
  int status = 0;
  CHECK(::waitpid(forked, &status, 0) == forked);
  CHECK(status == 0);
  go = 1;
  CHECK(result.get() == 1);
  waiting.join();
  CHECK(stream.next() == 0);
  CHECK(pool.workers() == workers);
}

TEST_CASE("a pool that another is assigned to ends, whoever has its results") {
  troupe::pool pool{2};
  auto result = pool.apply_async([] { ::pause(); });
  const auto before = pool.workers();
  pool = troupe::pool{1};
  for (const auto& each : before)
    CHECK_FALSE(each.is_alive());
  REQUIRE(result.wait_for(0s) == std::future_status::ready);
  CHECK_THROWS_AS(result.get(), troupe::cancelled);
  CHECK(pool.size() == 1);
  CHECK(pool.apply<square>(3) == 9);
  auto& same = pool;
  pool = std::move(same);
  CHECK(pool.apply<square>(4) == 16);
}

TEST_CASE("a pool that was moved from says so, and may be assigned to") {
  troupe::pool from{1};
  auto first = from.imap<square>(std::views::iota(1L, 3L));
  auto second = std::move(first);
  troupe::pool pool = std::move(from);
  const std::vector<long> input{1};
  // NOLINTBEGIN(bugprone-use-after-move)
  CHECK(
    refused([&] { static_cast<void>(from.apply<square>(1)); },
            [&] { static_cast<void>(from.apply_async<square>(1)); },
            [&] { static_cast<void>(from.map<square>(input)); },
            [&] { static_cast<void>(from.imap<square>(input)); },
            [&] { static_cast<void>(from.size()); },
            [&] { static_cast<void>(from.workers()); }, [&] { from.close(); },
            [&] { from.join(); }, [&] { static_cast<void>(from.join_for(0s)); },
            [&] { from.terminate(); }, [&] { static_cast<void>(first.next()); })
    == 11);
  // NOLINTEND(bugprone-use-after-move)
  CHECK(second.next() == 1);
  from = std::move(pool);
  CHECK(from.apply<square>(3) == 9);
}

TEST_CASE("a result is given once, to the first copy of a future that asks") {
  troupe::pool pool{1};
  const std::string text = "a text that is moved ";
  auto first = pool.apply_async<joined>(text, 2);
  auto second = first;
  CHECK(second.get() == text + text);
  CHECK_THROWS_AS(second.get(), troupe::invalid_state);
  CHECK_THROWS_AS(first.get(), troupe::invalid_state);
  auto all = pool.map_async<square>(numbers(3));
  auto copy = all;
  CHECK(all.get().size() == 3);
  CHECK_THROWS_AS(copy.get(), troupe::invalid_state);
  // A failure is told to each.
  auto fails = pool.apply_async<fails_on_odd>(1);
  auto too = fails;
  CHECK_THROWS_AS(fails.get(), troupe::remote_error);
  CHECK_THROWS_AS(too.get(), troupe::remote_error);
}
