// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/start.hpp>
#include <troupe/sync/event.hpp>

#include <support/blocked.hpp>
#include <support/eventually.hpp>
#include <support/passed.hpp>
#include <support/sleeping.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using troupe::put_result;
using troupe::queue;
using troupe::test::await_blocked;
using troupe::test::eventually;
using troupe::test::passed;
using troupe::test::sleep_for_ever;
using troupe::test::wait_kind;

namespace {

using clock_type = std::chrono::steady_clock;

/// CPython measures its time-outs with a tolerance below; so do we.
bool lasted(clock_type::time_point since, clock_type::duration least) {
  return clock_type::now() - since >= least - 5ms;
}

} // namespace

TEST_CASE("items leave in the order in which they were put") {
  queue<int> numbers;
  CHECK(numbers.empty());
  CHECK_FALSE(numbers.try_get());
  for (int i = 0; i < 1000; ++i)
    numbers.put(i);
  CHECK(numbers.size() == 1000);
  for (int i = 0; i < 1000; ++i)
    REQUIRE(numbers.get() == i);
  CHECK(numbers.empty());
}

TEST_CASE("a child puts, another takes") {
  queue<int> squares;
  auto writer = troupe::start(
    [](std::vector<int> numbers, queue<int> results) {
      for (const int each : numbers)
        results.put(each * each);
    },
    std::vector{1, 2, 3, 4}, squares);
  CHECK(passed(writer));
  queue<int> sums;
  auto reader = troupe::start(
    [](queue<int> from, queue<int> to) {
      int sum = 0;
      while (!from.empty())
        sum += from.get();
      to.put(sum);
    },
    squares, sums);
  CHECK(passed(reader));
  CHECK(sums.get() == 30);
}

// CPython: _TestQueue.test_put
TEST_CASE("put into a queue with a limit waits, answers, or times out") {
  const queue<int> limited{6};
  const queue<bool> child_can_start;
  const queue<bool> parent_can_continue;
  auto child = troupe::start(
    [](queue<int> numbers, queue<bool> start, queue<bool> done) {
      static_cast<void>(start.get());
      for (int i = 0; i < 6; ++i)
        static_cast<void>(numbers.get());
      done.put(true);
    },
    limited, child_can_start, parent_can_continue);
  CHECK(limited.max_size() == 6);
  CHECK(limited.empty());
  CHECK_FALSE(limited.full());
  limited.put(1);
  CHECK(limited.try_put(2) == put_result::done);
  CHECK(limited.try_put_for(3, 1s) == put_result::done);
  CHECK(limited.try_put_until(4, clock_type::now() + 1s) == put_result::done);
  limited.put(5);
  limited.put(6);
  CHECK(limited.full());
  auto since = clock_type::now();
  CHECK(limited.try_put(7) == put_result::full);
  since = clock_type::now();
  CHECK(limited.try_put_for(7, 200ms) == put_result::full);
  CHECK(lasted(since, 200ms));
  since = clock_type::now();
  CHECK(limited.try_put_until(7, std::chrono::system_clock::now() + 100ms)
        == put_result::full);
  CHECK(lasted(since, 100ms));
  CHECK(limited.try_put_for(7, -1s) == put_result::full);
  child_can_start.put(true);
  CHECK(parent_can_continue.get());
  CHECK(limited.empty());
  CHECK_FALSE(limited.full());
  CHECK(passed(child));
}

TEST_CASE("put into a full queue returns when there is room, and not before") {
  const queue<int> limited{1};
  const queue<int> steps;
  limited.put(0);
  auto child = troupe::start(
    [](queue<int> numbers, queue<int> done) {
      done.put(0);
      numbers.put(1);
      done.put(1);
    },
    limited, steps);
  CHECK(steps.get() == 0);
  CHECK(eventually([&] {
    return !steps.empty() || troupe::test::activity_of(child.pid()) == 'S';
  }));
  CHECK(steps.empty());
  CHECK(limited.size() == 1);
  CHECK(limited.get() == 0);
  CHECK(steps.get() == 1);
  CHECK(limited.get() == 1);
  CHECK(passed(child));
}

// CPython: _TestQueue.test_get
TEST_CASE("get waits, answers, or times out") {
  const queue<int> numbers;
  const queue<bool> start;
  auto child = troupe::start(
    [](queue<int> to, queue<bool> when) {
      static_cast<void>(when.get());
      for (int i = 2; i < 6; ++i)
        to.put(i);
    },
    numbers, start);
  auto since = clock_type::now();
  CHECK_FALSE(numbers.try_get_for(200ms));
  CHECK(lasted(since, 200ms));
  since = clock_type::now();
  CHECK_FALSE(numbers.try_get_until(clock_type::now() + 100ms));
  CHECK(lasted(since, 100ms));
  CHECK_FALSE(numbers.try_get_for(-1s));
  start.put(true);
  CHECK(numbers.get() == 2);
  CHECK(numbers.try_get_for(60s) == 3);
  CHECK(numbers.get() == 4);
  CHECK(numbers.get() == 5);
  CHECK_FALSE(numbers.try_get());
  CHECK(numbers.empty());
  CHECK(passed(child));
}

// CPython: _TestQueue.test_fork
TEST_CASE("a child of a process that has used the queue can use it") {
  const queue<int> numbers;
  for (int i = 0; i < 10; ++i)
    numbers.put(i);
  auto child = troupe::start(
    [](queue<int> to) {
      for (int i = 10; i < 20; ++i)
        to.put(i);
    },
    numbers);
  CHECK(passed(child));
  for (int i = 0; i < 20; ++i)
    CHECK(numbers.get() == i);
  CHECK(numbers.empty());
}

// CPython: _TestQueue.test_qsize
TEST_CASE("the size is exact when nobody is at work") {
  const queue<int> numbers;
  CHECK(numbers.size() == 0);
  numbers.put(1);
  CHECK(numbers.size() == 1);
  numbers.put(5);
  CHECK(numbers.size() == 2);
  CHECK(numbers.get() == 1);
  CHECK(numbers.size() == 1);
  CHECK(numbers.get() == 5);
  CHECK(numbers.size() == 0);
}

// CPython: _TestQueue.test_task_done
TEST_CASE("join returns when every task is done") {
  const queue<int> tasks;
  const troupe::event joined;
  std::vector<troupe::process> workers;
  for (int i = 0; i < 4; ++i)
    workers.push_back(troupe::start(
      [](queue<int> work, troupe::event begun) {
        for ([[maybe_unused]] const int each : work) {
          begun.wait();
          work.task_done();
        }
      },
      tasks, joined));
  std::thread opener{[&, waiter = troupe::os::this_thread_id()] {
    CHECK(await_blocked(waiter, wait_kind::finished));
    joined.set();
  }};
  for (int i = 0; i < 10; ++i)
    tasks.put(i);
  tasks.join();
  opener.join();
  CHECK_THROWS_AS(tasks.task_done(), troupe::invalid_state);
  CHECK(tasks.join_for(0s));
  tasks.put(20);
  CHECK(tasks.join_until(clock_type::now() + 60s));
  CHECK_THROWS_AS(tasks.task_done(), troupe::invalid_state);
  const queue<int> undone;
  undone.put(1);
  const auto since = clock_type::now();
  CHECK_FALSE(undone.join_until(since + 50ms));
  CHECK(lasted(since, 50ms));
  tasks.close();
  for (const auto& each : workers)
    CHECK(passed(each));
}

TEST_CASE("join says when tasks went down with their process") {
  const queue<int> tasks;
  tasks.put(1);
  tasks.put(2);
  auto worker = troupe::start(
    [](queue<int> work) {
      static_cast<void>(work.get());
      sleep_for_ever();
    },
    tasks);
  REQUIRE(eventually([&] { return tasks.size() == 1; }));
  CHECK_FALSE(tasks.join_for(50ms));
  worker.kill();
  CHECK_THROWS_AS(tasks.join(), troupe::peer_died);
  worker.join();
}

TEST_CASE("join says so too when another process works in the dead one's "
          "place") {
  const queue<int> tasks;
  const queue<int> permits;
  for (int i = 0; i < 3; ++i)
    tasks.put(i);
  const auto place = [&] {
    auto first = troupe::start(
      [](queue<int> work) { static_cast<void>(work.get()); }, tasks);
    CHECK(passed(first));
    return first.view().id().index;
  }();
  auto second = troupe::start(
    [](queue<int> work, queue<int> permit) {
      static_cast<void>(permit.try_get_for(10s));
      static_cast<void>(work.get());
      work.task_done();
      static_cast<void>(permit.try_get_for(10s));
      // For the one before it.
      work.task_done();
      static_cast<void>(work.get());
      work.task_done();
      static_cast<void>(permit.try_get_for(10s));
    },
    tasks, permits);
  REQUIRE(second.view().id().index == place);
  const auto lost = [&] {
    try {
      return tasks.join_for(5s) ? 0 : -1;
    } catch (const troupe::peer_died& problem) {
      return std::string{problem.what()}.find(": 1 of") != std::string::npos
               ? 1
               : -2;
    }
  };
  // Before its successor has taken anything, and after.
  CHECK(lost() == 1);
  permits.put(1);
  REQUIRE(eventually([&] { return tasks.box().unfinished() == 2; }));
  CHECK(lost() == 1);
  permits.put(1);
  CHECK(lost() == 0);
  permits.put(1);
  CHECK(passed(second));
}

// CPython: _TestQueue.test_closed_queue_*
TEST_CASE("a closed queue refuses items and ends when it is drained") {
  const queue<int> numbers;
  numbers.put(1);
  numbers.put(2);
  CHECK_FALSE(numbers.is_closed());
  numbers.close();
  numbers.close();
  CHECK(numbers.is_closed());
  CHECK_THROWS_AS(numbers.put(3), troupe::closed);
  CHECK_THROWS_AS(static_cast<void>(numbers.try_put(3)), troupe::closed);
  CHECK(numbers.get() == 1);
  CHECK(numbers.try_get() == 2);
  CHECK_THROWS_AS(static_cast<void>(numbers.get()), troupe::closed);
  CHECK_THROWS_AS(static_cast<void>(numbers.try_get()), troupe::closed);
  CHECK(numbers.empty());
  const queue<int> unused;
  unused.close();
  CHECK(unused.empty());
}

TEST_CASE("a range-for in several readers ends when the queue is closed") {
  const queue<int> numbers;
  const queue<std::vector<int>> taken;
  std::vector<troupe::process> readers;
  for (int i = 0; i < 3; ++i)
    readers.push_back(troupe::start(
      [](queue<int> from, queue<std::vector<int>> to) {
        std::vector<int> mine;
        for (const int each : from)
          mine.push_back(each);
        to.put(mine);
      },
      numbers, taken));
  for (int i = 0; i < 3000; ++i)
    numbers.put(i);
  numbers.close();
  std::vector<int> all;
  for (const auto& each : readers)
    CHECK(passed(each));
  for (int i = 0; i < 3; ++i) {
    const auto part = taken.get();
    CHECK(std::is_sorted(part.begin(), part.end()));
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<int> expected(3000);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(all == expected);
}

TEST_CASE("close wakes those who wait") {
  const queue<int> empty;
  const queue<int> full{1};
  full.put(0);
  auto reader = troupe::start(
    [](queue<int> from) {
      try {
        static_cast<void>(from.get());
        return 1;
      } catch (const troupe::closed&) {
        return 0;
      }
    },
    empty);
  auto writer = troupe::start(
    [](queue<int> to) {
      try {
        to.put(1);
        return 1;
      } catch (const troupe::closed&) {
        return 0;
      }
    },
    full);
  CHECK(await_blocked(reader.pid(), wait_kind::item));
  CHECK(await_blocked(writer.pid(), wait_kind::room));
  empty.close();
  full.close();
  CHECK(passed(reader));
  CHECK(passed(writer));
}

TEST_CASE("writers and readers of many processes lose and invent nothing") {
  struct item {
    int writer;
    int number;
  };
  constexpr int writers = 3;
  constexpr int readers = 3;
  constexpr int each_puts = 4000;
  for (const std::size_t limit : {0U, 1U, 50U}) {
    const queue<item> items{limit};
    const queue<std::vector<item>> taken;
    std::vector<troupe::process> processes;
    for (int w = 0; w < writers; ++w)
      processes.push_back(troupe::start(
        [](queue<item> to, int self) {
          for (int i = 0; i < each_puts; ++i)
            to.put({self, i});
        },
        items, w));
    std::vector<troupe::process> takers;
    for (int r = 0; r < readers; ++r)
      takers.push_back(troupe::start(
        [](queue<item> from, queue<std::vector<item>> to) {
          std::vector<item> mine;
          for (const auto& each : from)
            mine.push_back(each);
          to.put(mine);
        },
        items, taken));
    std::atomic<bool> over{false};
    std::size_t largest = 0;
    std::thread watcher{[&] {
      while (!over)
        largest = std::max(largest, items.size());
    }};
    for (const auto& each : processes)
      CHECK(passed(each));
    over = true;
    watcher.join();
    CHECK((limit == 0 || largest <= limit));
    items.close();
    std::set<std::pair<int, int>> seen;
    for (int r = 0; r < readers; ++r) {
      std::map<int, int> last;
      for (const auto& [writer, number] : taken.get()) {
        REQUIRE(seen.emplace(writer, number).second);
        const auto found = last.find(writer);
        REQUIRE((found == last.end() || found->second < number));
        last[writer] = number;
      }
    }
    CHECK(seen.size() == writers * each_puts);
    for (const auto& each : takers)
      CHECK(passed(each));
  }
}

TEST_CASE("a queue and a pipe outlive the process that made them") {
  using both = std::pair<queue<int>, troupe::connection<int>>;
  const queue<both> offers;
  const queue<troupe::connection<int>> ends;
  auto maker = troupe::start(
    [](queue<both> to, queue<troupe::connection<int>> other) {
      const queue<int> numbers;
      auto [here, there] = troupe::pipe<int>();
      numbers.put(1);
      here.send(1);
      for (int i = 0; i < 2; ++i)
        to.put({numbers, here});
      other.put(there);
      ::raise(SIGKILL);
    },
    offers, ends);
  CHECK(maker.join().signal() == SIGKILL);
  auto child = troupe::start(
    [](queue<both> from) {
      auto [numbers, end] = from.get();
      numbers.put(2);
      end.send(2);
      return end.receive() == 3 ? 0 : 1;
    },
    offers);
  const auto [numbers, end] = offers.get();
  CHECK(numbers.get() == 1);
  CHECK(numbers.get() == 2);
  auto there = ends.get();
  CHECK(there.receive() == 1);
  CHECK(there.receive() == 2);
  there.send(3);
  CHECK(passed(child));
}

TEST_CASE("batches") {
  const queue<std::string> words;
  std::vector<std::string> many;
  for (int i = 0; i < 500; ++i)
    many.push_back(std::string(static_cast<std::size_t>(i % 50), 'x')
                   + std::to_string(i));
  words.put_many(many);
  CHECK(words.size() == 500);
  std::vector<std::string> back;
  while (!words.empty())
    for (auto& each : words.get_many(70))
      back.push_back(std::move(each));
  CHECK(back == many);
  CHECK(words.try_get_many(10).empty());

  const queue<int> limited{10};
  std::vector<int> numbers(25);
  std::iota(numbers.begin(), numbers.end(), 0);
  CHECK(limited.try_put_many(numbers) == 10);
  CHECK(limited.get_many(100).size() == 10);
  auto reader = troupe::start(
    [](queue<int> from) {
      for (int i = 0; i < 25; ++i)
        if (from.get() != i)
          return 1;
      return 0;
    },
    limited);
  limited.put_many(numbers);
  CHECK(passed(reader));
}

TEST_CASE("a writer may end at once, however full its queue") {
  const queue<std::vector<std::byte>> blobs;
  auto writer = troupe::start(
    [](queue<std::vector<std::byte>> to) {
      for (int i = 0; i < 20; ++i)
        to.put(std::vector<std::byte>(1 << 20, std::byte(i)));
    },
    blobs);
  CHECK(passed(writer));
  CHECK(blobs.size() == 20);
  for (int i = 0; i < 20; ++i) {
    const auto blob = blobs.get();
    CHECK(blob.size() == 1 << 20);
    CHECK(blob[12345] == std::byte(i));
  }
}

TEST_CASE("an exit handler puts, though its thread's own objects are gone") {
  const troupe::queue<std::string> items;
  auto child = troupe::start(
    [](const troupe::queue<std::string>& to) {
      static const auto kept = to;
      kept.put("before");
      std::atexit([] {
        for (int i = 0; i < 50; ++i)
          kept.put(std::string(1000, 'x'));
      });
    },
    items);
  CHECK(passed(child));
  CHECK(items.get() == "before");
  for (int i = 0; i < 50; ++i)
    CHECK(items.get() == std::string(1000, 'x'));
}

TEST_CASE("a variant, a queue in a queue, a moved-from handle") {
  using anything = std::variant<int, std::string, std::vector<double>>;
  const queue<anything> mixed;
  mixed.put(1);
  mixed.put(std::string{"two"});
  mixed.put(std::vector{3.0});
  CHECK(mixed.get() == anything{1});
  CHECK(mixed.get() == anything{std::string{"two"}});
  CHECK(mixed.get() == anything{std::vector{3.0}});

  const queue<queue<int>> addresses;
  auto child = troupe::start([](queue<queue<int>> from) { from.get().put(42); },
                             addresses);
  queue<int> answer;
  addresses.put(answer);
  CHECK(answer.get() == 42);
  CHECK(passed(child));

  const auto taken = std::move(answer);
  CHECK_THROWS_AS(answer.put(1), troupe::invalid_state);
  taken.put(1);
  CHECK(taken.get() == 1);
}

TEST_CASE("an item that does not decode blames its writer; the queue goes on") {
  const queue<std::string> words;
  troupe::start_options named;
  named.name = "scribbler";
  auto writer = troupe::start(
    named,
    [](queue<std::string> to) {
      to.put("before");
      // The length says more than there is.
      const std::array<std::byte, 8> nonsense{std::byte{0xFF}};
      static_cast<void>(to.box().put({nonsense}, troupe::deadline::never()));
      to.put("after");
    },
    words);
  CHECK(passed(writer));
  CHECK(words.get() == "before");
  try {
    static_cast<void>(words.get());
    FAIL("nonsense was taken for a string");
  } catch (const troupe::malformed_bytes& problem) {
    CHECK(std::string{problem.what()}.find("scribbler") != std::string::npos);
  }
  CHECK(words.get() == "after");
}

namespace {

/// Refuses to be encoded.
struct shy {
  void save(troupe::codec::encoder&) const {
    throw std::runtime_error{"will not be sent"};
  }
  static shy load(troupe::codec::decoder&) {
    return {};
  }
};

} // namespace

TEST_CASE("an item that cannot be encoded is its writer's exception, and the "
          "queue goes on") {
  const queue<std::variant<int, shy>> items{1};
  CHECK_THROWS_AS(items.put(shy{}), std::runtime_error);
  CHECK(items.empty());
  items.put(1);
  CHECK(items.size() == 1);
  CHECK(std::get<int>(items.get()) == 1);
  CHECK(items.empty());
}

namespace {

/// Decodes only where it is 0.
struct picky {
  int value = 0;
  void save(troupe::codec::encoder& to) const {
    to.save(value);
  }
  static picky load(troupe::codec::decoder& from) {
    const auto value = from.load<int>();
    if (value == 1)
      throw std::runtime_error{"not this one"};
    if (value == 2)
      throw value;
    return {value};
  }
};

} // namespace

TEST_CASE("an item whose load throws is dropped, whatever it throws; the queue "
          "goes on") {
  const queue<picky> items;
  for (const int each : {0, 1, 2, 0})
    items.put({each});
  CHECK(items.get().value == 0);
  for (const std::string why : {"not this one", "no std::exception"}) {
    try {
      static_cast<void>(items.get());
      FAIL("it was taken");
    } catch (const troupe::malformed_bytes& problem) {
      CHECK(std::string{problem.what()}.find(why) != std::string::npos);
    }
  }
  CHECK(items.get().value == 0);
  // Behind one that decodes it waits for the next call.
  for (const int each : {0, 1, 0})
    items.put({each});
  CHECK(items.get_many(3).size() == 1);
  CHECK_THROWS_AS(static_cast<void>(items.get_many(3)),
                  troupe::malformed_bytes);
  CHECK(items.get_many(3).size() == 1);
  CHECK(items.empty());
}

TEST_CASE("where memory is short for an item it stays in the queue") {
  struct heavy {
    int value = 0;
    void save(troupe::codec::encoder& to) const {
      to.save(value);
    }
    static heavy load(troupe::codec::decoder& from) {
      static int turn = 0;
      if (turn++ == 0)
        throw std::bad_alloc{};
      return {from.load<int>()};
    }
  };
  const queue<heavy> items;
  items.put({7});
  CHECK_THROWS_AS(static_cast<void>(items.get()), std::bad_alloc);
  CHECK(items.get().value == 7);
}

TEST_CASE("a handle of another type is refused") {
  const queue<int> numbers;
  troupe::codec::packet message;
  troupe::codec::encode_into(message, numbers);
  CHECK_THROWS_AS(static_cast<void>(troupe::codec::decode<queue<std::string>>(
                    std::move(message))),
                  troupe::malformed_bytes);
}

TEST_CASE("threads share a queue") {
  const queue<int> numbers;
  std::atomic<long> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5000; ++n)
        numbers.put(n);
    });
    threads.emplace_back([&] {
      for (int n = 0; n < 5000; ++n)
        sum += numbers.get();
    });
  }
  for (auto& each : threads)
    each.join();
  CHECK(sum == 2L * 4999 * 5000 / 2);
}
