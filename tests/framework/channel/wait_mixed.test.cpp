// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/start.hpp>

#include <support/eventually.hpp>
#include <support/passed.hpp>
#include <support/sleeping.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using troupe::all_ready;
using troupe::queue;
using troupe::wait_all;
using troupe::wait_any;
using troupe::wait_source;
using troupe::test::passed;

namespace {

using gate = queue<int>;

/// Its result comes when there is an item.
int gated(int result, gate open) {
  static_cast<void>(open.get());
  return result;
}

int refuses() {
  throw std::runtime_error{"refused"};
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// A condition of a layer above: ready once it was made so, whose wait asks for
/// the wake word.
class flag {
public:
  struct content {
    std::atomic<bool> up{false};
    std::atomic<int> watching{0};
    std::atomic<int> begun{0};
  };

  [[nodiscard]] std::shared_ptr<troupe::wait_condition> when_ready() const {
    struct condition final : troupe::wait_condition {
      explicit condition(std::shared_ptr<content> what) : of(std::move(what)) {
      }
      void begin() override {
        ++of->begun;
      }
      [[nodiscard]] bool ready() override {
        return of->up;
      }
      void watch() override {
        ++of->watching;
      }
      void unwatch() noexcept override {
        --of->watching;
      }
      std::shared_ptr<content> of;
    };
    return std::make_shared<condition>(inside);
  }

  void raise() const {
    inside->up = true;
    if (inside->watching > 0)
      troupe::memory::notify(troupe::memory::run_memory::current().own_slot());
  }

  std::shared_ptr<content> inside = std::make_shared<content>();
};

} // namespace

TEST_CASE("the first of several futures is waited for, of whatever process") {
  const gate first;
  const gate second;
  std::vector<troupe::future<int>> futures;
  futures.push_back(troupe::async<gated>(1, first));
  futures.push_back(troupe::async<gated>(2, second));
  CHECK_FALSE(wait_any(futures, 0s));
  CHECK_FALSE(wait_any(futures, 20ms));
  CHECK_FALSE(wait_any(futures, std::chrono::steady_clock::now() + 1ms));
  CHECK_FALSE(wait_any(futures, troupe::deadline::after(1ms)));
  CHECK_FALSE(wait_all(futures, 1ms));
  second.put(0);
  auto found = wait_any(futures, 60s);
  REQUIRE(found);
  CHECK(*found == 1);
  // It takes nothing, and says so again.
  CHECK(wait_any(futures) == 1);
  CHECK(futures[1].get() == 2);
  // One that has given its result is passed over.
  CHECK_FALSE(wait_any(futures, 1ms));
  first.put(0);
  CHECK(wait_all(futures));
  CHECK(wait_any(futures) == 0);
  CHECK(futures[0].get() == 1);
  CHECK_FALSE(wait_any(futures));
  CHECK_FALSE(wait_any(std::vector<troupe::future<int>>{}, 60s));
  CHECK(wait_all(futures));
}

TEST_CASE("results are used in the order in which they come") {
  std::vector<troupe::future<int>> futures;
  std::vector<gate> gates(4);
  for (int i = 0; i < 4; ++i)
    futures.push_back(
      troupe::async<gated>(i, gates[static_cast<std::size_t>(i)]));
  std::vector<int> order;
  gates[2].put(0);
  while (const auto index = wait_any(futures)) {
    order.push_back(futures[*index].get());
    for (const std::size_t next : {0U, 3U, 1U})
      if (gates[next].empty() && futures[next].valid()) {
        gates[next].put(0);
        break;
      }
  }
  CHECK(order == std::vector{2, 0, 3, 1});
}

TEST_CASE("futures, processes, queues, pipes, descriptors and times are waited "
          "for together") {
  const gate open;
  const queue<int> numbers;
  auto [here, there] = troupe::pipe<int>();
  auto result = troupe::async<gated>(7, open);
  auto child = troupe::start([](gate until) { static_cast<void>(until.get()); },
                             open);
  const auto view = child.view();
  const auto ends = troupe::os::make_pipe();
  const int fd = ends.reader.get();
  CHECK(wait_any(result, numbers, here, child, view, fd, 10ms) == 6);
  CHECK(wait_any(result, numbers, here, child, view, 10ms) == 5);
  CHECK(wait_any(result, std::chrono::system_clock::now() + 5ms) == 1);
  there.send(1);
  CHECK(wait_any(result, numbers, here, child, view, fd, 60s) == 2);
  static_cast<void>(here.receive());
  troupe::os::write_all(ends.writer.get(), "x");
  CHECK(wait_any(result, numbers, here, child, view, fd, 60s) == 5);
  std::array<std::byte, 8> buffer{};
  static_cast<void>(troupe::os::read_some(fd, buffer));
  numbers.put(1);
  CHECK(wait_any(result, numbers, fd, 60s) == 1);
  static_cast<void>(numbers.get());
  open.put(0);
  open.put(0);
  CHECK(wait_any(result, numbers, fd, 60s) == 0);
  CHECK(wait_any(numbers, fd, view, 60s) == 2);
  CHECK(wait_any(numbers, fd, child, 60s) == 2);
  CHECK(all_ready(numbers, result, fd, child, view)
        == std::vector<std::size_t>{1, 3, 4});
  CHECK(result.get() == 7);
  CHECK(passed(child));
  child.close();
  // A view of a process that is forgotten says what the view says: not alive.
  CHECK(wait_any(numbers, view, 60s) == 1);
  CHECK_THROWS_AS(static_cast<void>(wait_any(numbers, child)),
                  troupe::invalid_state);
}

TEST_CASE("a future whose process died or threw is ready, and its use says "
          "why") {
  const gate open;
  const queue<int> numbers;
  auto result = troupe::async<gated>(7, open);
  std::thread killer{[&] { result.runner().kill(); }};
  CHECK(wait_any(numbers, result, 60s) == 1);
  killer.join();
  CHECK_THROWS_AS(result.get(), troupe::remote_error);
  auto wrong = troupe::async<refuses>();
  CHECK(wait_any(numbers, wrong, 60s) == 1);
  CHECK_THROWS_AS(wrong.get(), troupe::remote_error);
  // A queue that is closed is ready too.
  numbers.close();
  CHECK(wait_any(numbers, 60s) == 0);
}

TEST_CASE("what has nothing to come is passed over, and is an error alone") {
  const queue<int> numbers;
  numbers.put(1);
  troupe::future<int> empty;
  auto taken = troupe::async([] { return 1; });
  CHECK(taken.get() == 1);
  auto source = troupe::async([] { return 1; });
  const auto moved_to = std::move(source);
  CHECK(wait_any(empty, taken, source, numbers) == 3);
  CHECK(wait_any(empty, taken, source, 1ms) == 3);
  CHECK_THROWS_AS(static_cast<void>(wait_any(empty, taken, source)),
                  troupe::invalid_state);
  CHECK(all_ready(empty, taken, numbers) == std::vector<std::size_t>{2});
  moved_to.wait();
}

TEST_CASE("ranges of any kind are waited for") {
  std::vector<queue<int>> queues(3);
  CHECK_FALSE(wait_any(queues, 1ms));
  queues[1].put(1);
  CHECK(wait_any(queues) == 1);
  const std::array<troupe::process, 2> children{
    troupe::start<troupe::test::sleep_for_ever>(), troupe::start([] {})};
  CHECK(wait_any(children, 60s) == 1);
  children[0].kill();
  CHECK(wait_all(children, 60s));
  std::vector<wait_source> mixed{queues.begin(), queues.end()};
  mixed.emplace_back(1h);
  CHECK(wait_any(mixed) == 1);
  static_cast<void>(queues[1].get());
  CHECK_FALSE(wait_any(mixed, 1ms));
  const std::vector<int> descriptors{STDIN_FILENO};
  static_cast<void>(wait_any(descriptors, 0s));
}

TEST_CASE("a type of one's own is waited for beside others") {
  const flag mine;
  const queue<int> numbers;
  CHECK(wait_any(mine, numbers, 5ms) == 2);
  CHECK(mine.inside->watching == 0);
  CHECK(mine.inside->begun == 1);
  std::thread other{[&] {
    CHECK(troupe::test::eventually([&] { return mine.inside->watching > 0; }));
    mine.raise();
  }};
  CHECK(wait_any(numbers, mine, 60s) == 1);
  other.join();
  CHECK(mine.inside->watching == 0);
  // Beside a descriptor as well, where the wait is a poll.
  mine.inside->up = false;
  const auto ends = troupe::os::make_pipe();
  std::thread again{[&] {
    CHECK(troupe::test::eventually([&] { return mine.inside->watching > 0; }));
    mine.raise();
  }};
  CHECK(wait_any(ends.reader.get(), mine, 60s) == 1);
  again.join();
}

TEST_CASE("no wake-up is lost, whoever comes first") {
  const queue<int> numbers;
  const queue<int> back;
  auto echo = troupe::start(
    [](queue<int> from, queue<int> to) {
      for (int i = 0; i < 3000; ++i)
        to.put(from.get());
    },
    numbers, back);
  const auto ends = troupe::os::make_pipe();
  for (int i = 0; i < 3000; ++i) {
    numbers.put(i);
    const auto ready = i % 2 == 0 ? wait_any(echo, back, 60s)
                                  : wait_any(ends.reader.get(), back, 60s);
    REQUIRE(ready == 1);
    CHECK(back.get() == i);
  }
  CHECK(passed(echo));
  for (int i = 0; i < 50; ++i) {
    const gate open;
    auto result = troupe::async<gated>(i, open);
    open.put(0);
    REQUIRE(wait_any(numbers, result, 60s) == 1);
    CHECK(result.get() == i);
  }
}

TEST_CASE("waiting leaves no descriptor behind") {
  const queue<int> numbers;
  const auto ends = troupe::os::make_pipe();
  static_cast<void>(wait_any(numbers, ends.reader.get(), 1ms));
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    auto child = troupe::start([] {});
    auto result = troupe::async([] { return 1; });
    CHECK(wait_any(numbers, child, ends.reader.get(), 60s) == 1);
    CHECK(wait_any(numbers, result, ends.reader.get(), 60s) == 1);
    CHECK(result.get() == 1);
  }
  CHECK(open_descriptors() == before);
}
