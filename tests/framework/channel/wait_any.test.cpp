// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/start.hpp>

#include <support/blocked.hpp>
#include <support/eventually.hpp>
#include <support/passed.hpp>
#include <support/sleeping.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>

using namespace std::chrono_literals;
using troupe::connection;
using troupe::queue;
using troupe::wait_any;

using troupe::os::this_thread_id;
using troupe::test::await_blocked;
using troupe::test::passed;
using troupe::test::sleep_for_ever;
using troupe::test::wait_kind;

namespace {

using clock_type = std::chrono::steady_clock;

} // namespace

TEST_CASE("wait_any returns the first that is ready") {
  const queue<int> a;
  const queue<int> b;
  b.put(1);
  CHECK(wait_any(a, b) == 1);
  a.put(1);
  CHECK(wait_any(a, b) == 0);
  CHECK(wait_any(b, a, 0s) == 0);
  static_cast<void>(a.get());
  static_cast<void>(b.get());
  CHECK(wait_any(a, b, 0s) == 2);
}

// CPython: TestWait.test_wait_timeout, test_neg_timeout
TEST_CASE("deadlines") {
  const queue<int> empty;
  auto since = clock_type::now();
  CHECK(wait_any(empty, 100ms) == 1);
  CHECK(clock_type::now() - since >= 100ms);
  CHECK(wait_any(empty, -1s) == 1);
  since = clock_type::now();
  CHECK(wait_any(empty, 60s, clock_type::now() + 30ms) == 2);
  CHECK(clock_type::now() - since >= 30ms);
  CHECK_THROWS_AS(static_cast<void>(
                    wait_any(std::span<const troupe::wait_source>{})),
                  troupe::invalid_argument);
}

TEST_CASE("a put by another process wakes who waits for several") {
  const queue<int> a;
  const queue<std::string> b;
  auto child = troupe::start(
    [](queue<int> first, queue<std::string> second, std::int32_t waiter) {
      const bool once = await_blocked(waiter, wait_kind::any);
      second.put("news");
      const bool again = await_blocked(waiter, wait_kind::any);
      first.put(1);
      return once && again ? 0 : 1;
    },
    a, b, this_thread_id());
  CHECK(wait_any(a, b, 60s) == 1);
  CHECK(b.get() == "news");
  CHECK(wait_any(a, b, 60s) == 0);
  CHECK(passed(child));
}

// CPython: TestWait.test_wait
TEST_CASE("four writers; each is dropped at its end") {
  std::vector<connection<std::pair<int, int>>> readers;
  std::vector<troupe::process> writers;
  for (int i = 0; i < 4; ++i) {
    auto [receiver, sender]
      = troupe::pipe<std::pair<int, int>>(troupe::one_way);
    writers.push_back(troupe::start(
      [](connection<std::pair<int, int>> to, int self, bool slow) {
        for (int n = 0; n < 10; ++n) {
          // Time: an input, so that the messages of quick and slow ones mix.
          if (slow)
            std::this_thread::sleep_for(std::chrono::milliseconds{n % 4 * 5});
          to.send({n, self});
        }
      },
      sender, i, i % 2 == 1));
    readers.push_back(receiver);
  }
  int messages = 0;
  while (!readers.empty()) {
    const std::vector<troupe::wait_source> sources{readers.begin(),
                                                   readers.end()};
    const auto index = wait_any(sources);
    REQUIRE(index < readers.size());
    try {
      static_cast<void>(readers[index].receive());
      ++messages;
    } catch (const troupe::closed&) {
      readers.erase(readers.begin() + static_cast<std::ptrdiff_t>(index));
    }
  }
  CHECK(messages == 40);
  for (const auto& each : writers)
    CHECK(passed(each));
}

// CPython: TestWait.test_wait_integer, test_wait_socket
TEST_CASE("processes, descriptors and mailboxes together") {
  const queue<int> numbers;
  auto sleeper = troupe::start<sleep_for_ever>();
  const auto ends = troupe::os::make_pipe();
  CHECK(wait_any(numbers, sleeper, ends.reader.get(), 50ms) == 3);
  numbers.put(1);
  CHECK(wait_any(numbers, sleeper, ends.reader.get(), 60s) == 0);
  static_cast<void>(numbers.get());

  auto writer = troupe::start(
    [](queue<int> to, std::int32_t waiter) {
      const bool blocked = await_blocked(waiter, wait_kind::any);
      to.put(2);
      return blocked ? 0 : 1;
    },
    numbers, this_thread_id());
  CHECK(wait_any(ends.reader.get(), sleeper, numbers, 60s) == 2);
  static_cast<void>(numbers.get());
  CHECK(passed(writer));

  std::thread helper{[&, waiter = this_thread_id()] {
    CHECK(await_blocked(waiter, wait_kind::any));
    troupe::os::write_all(ends.writer.get(), "x");
  }};
  CHECK(wait_any(numbers, sleeper, ends.reader.get(), 60s) == 2);
  helper.join();
  std::array<std::byte, 8> buffer{};
  CHECK(troupe::os::read_some(ends.reader.get(), buffer) == 1);

  sleeper.kill();
  CHECK(wait_any(numbers, sleeper, ends.reader.get(), 60s) == 1);
  numbers.put(3);
  const std::array<troupe::wait_source, 4> all{
    troupe::wait_source{numbers}, troupe::wait_source{sleeper},
    troupe::wait_source{ends.reader.get()}, troupe::wait_source{0s}};
  CHECK(troupe::all_ready(all) == std::vector<std::size_t>{0, 1, 3});
}

TEST_CASE("a killed writer's other end wakes who waits") {
  auto [here, there] = troupe::pipe<int>();
  const queue<int> never;
  auto child = troupe::start(
    [](connection<int> end) {
      end.send(1);
      sleep_for_ever();
    },
    there);
  there.close();
  CHECK(here.receive() == 1);
  std::thread killer{[&, waiter = this_thread_id()] {
    CHECK(await_blocked(waiter, wait_kind::any));
    child.kill();
  }};
  CHECK(wait_any(never, here, 60s) == 1);
  CHECK_THROWS_AS(static_cast<void>(here.receive()), troupe::closed);
  killer.join();
  child.join();
}

TEST_CASE("a foreign event loop waits with epoll") {
  queue<int> numbers;
  auto [here, there] = troupe::pipe<int>();
  const troupe::os::descriptor loop{::epoll_create1(EPOLL_CLOEXEC)};
  const auto add = [&](int fd, std::uint32_t tag) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u32 = tag;
    REQUIRE(::epoll_ctl(loop.get(), EPOLL_CTL_ADD, fd, &wanted) == 0);
  };
  // Returns the tag of what is ready, or 0.
  const auto wait = [&](int milliseconds) {
    epoll_event got{};
    return ::epoll_wait(loop.get(), &got, 1, milliseconds) == 1 ? got.data.u32
                                                                : 0U;
  };
  const auto quiet = [&] {
    return troupe::test::eventually([&] { return wait(0) == 0; });
  };
  add(numbers.readable_fd(), 1);
  add(here.readable_fd(), 2);
  CHECK(wait(20) == 0);

  auto child = troupe::start(
    [](queue<int> to, connection<int> end) {
      to.put(1);
      static_cast<void>(end.receive());
      end.send(2);
    },
    numbers, there);
  there.close();
  REQUIRE(wait(60'000) == 1);
  CHECK(wait(0) == 1);
  CHECK(numbers.get() == 1);
  CHECK(quiet());
  here.send(1);
  REQUIRE(wait(60'000) == 2);
  CHECK(here.receive() == 2);
  CHECK(passed(child));
  // Its end is news too.
  REQUIRE(wait(60'000) == 2);
  CHECK_THROWS_AS(static_cast<void>(here.receive()), troupe::closed);

  // Taken by another process, the item is not here any more.
  here.close();
  numbers.put(1);
  REQUIRE(wait(60'000) == 1);
  auto taker = troupe::start(
    [](queue<int> from) { static_cast<void>(from.get()); }, numbers);
  CHECK(passed(taker));
  CHECK(quiet());
}

namespace {

/// While it lives no thread can be made in this process.
class no_threads {
public:
  no_threads() {
    ::pthread_getattr_default_np(&before_);
    auto larger = before_;
    ::pthread_attr_setstacksize(&larger, std::size_t{1} << 47);
    ::pthread_setattr_default_np(&larger);
  }
  no_threads(const no_threads&) = delete;
  no_threads& operator=(const no_threads&) = delete;
  ~no_threads() {
    ::pthread_setattr_default_np(&before_);
  }

private:
  pthread_attr_t before_{};
};

} // namespace

TEST_CASE("where the thread of the descriptors cannot be started, the next "
          "call tries again") {
  auto child = troupe::start([] {
    queue<int> numbers;
    try {
      const no_threads none;
      static_cast<void>(numbers.readable_fd());
      throw std::runtime_error{"a thread without memory"};
    } catch (const troupe::os_failure&) {
    }
    pollfd watched{numbers.readable_fd(), POLLIN, 0};
    if (::poll(&watched, 1, 0) != 0)
      throw std::runtime_error{"it is readable though it is empty"};
    auto writer = troupe::start([](queue<int> to) { to.put(1); }, numbers);
    if (::poll(&watched, 1, 60'000) != 1)
      throw std::runtime_error{"nobody listens to the wake_word"};
    writer.join();
  });
  CHECK(passed(child));
}

TEST_CASE("a descriptor that is not open is an error, and neither ready nor "
          "waited for") {
  const queue<int> full;
  full.put(1);
  int closed = -1;
  {
    const auto event = troupe::os::make_event();
    closed = event.get();
    CHECK(wait_any(closed, 0s) == 1);
  }
  CHECK_THROWS_AS(static_cast<void>(wait_any(closed, 0s)),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(wait_any(closed, full)),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(wait_any(-1, 0s)),
                  troupe::invalid_argument);
  const std::vector<troupe::wait_source> sources{closed};
  CHECK_THROWS_AS(static_cast<void>(troupe::all_ready(sources)),
                  troupe::invalid_argument);
}
