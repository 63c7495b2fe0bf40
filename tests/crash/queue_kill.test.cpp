// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/process/start.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/value.hpp>

#include <support/blocked.hpp>
#include <support/eventually.hpp>
#include <support/living_bytes.hpp>
#include <support/passed.hpp>
#include <support/seed.hpp>
#include <support/sleeping.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using troupe::array;
using troupe::connection;
using troupe::queue;
using troupe::test::eventually;
using troupe::test::passed;
using troupe::test::seed;
using troupe::test::sleep_at_random;

namespace {

constexpr auto watchdog = 60s;

/// What a process was killed in the middle of.
struct point {
  const char* name;
  /// Whether the operation counts as done at that point.
  bool committed;
};

std::string described(const point& where) {
  return where.name;
}

bool was_killed(const troupe::process& child) {
  const auto status = child.join_for(watchdog);
  return status && status->signal() == SIGKILL;
}

std::vector<int> drained(const queue<int>& from) {
  std::vector<int> result;
  while (const auto each = from.try_get())
    result.push_back(*each);
  return result;
}

/// Whether the main thread of a process sleeps, on whatever it may be.
bool asleep(std::int32_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  // As a line: of a process that ends meanwhile there is none.
  std::string text;
  std::getline(file, text);
  return text.find(") S ") != std::string::npos;
}

std::string numbered(const char* prefix, std::size_t size) {
  return prefix + std::string(size, '.');
}

/// Whether living objects reserve only `before` again, once this process has
/// waited and so given up what it keeps for its next large items.
bool goes_back_to(std::uint64_t before) {
  return eventually([&] {
    {
      const queue<int> nothing;
      static_cast<void>(nothing.try_get_for(300ms));
    }
    return troupe::test::living_bytes() == before;
  });
}

} // namespace

TEST_CASE("a writer killed at any named point of put") {
  for (const auto& where : {point{"mailbox.put.unlocked", false},
                            point{"mailbox.put.locked", false},
                            point{"mailbox.put.before_commit", false},
                            point{"mailbox.put.committed", true},
                            point{"mailbox.put.unannounced", true}}) {
    CAPTURE(described(where));
    const queue<int> numbers;
    numbers.put(1);
    auto writer = troupe::start(
      [](queue<int> to, std::string at) {
        to.put(2);
        troupe::os::arm_crash_point(at);
        to.put(3);
      },
      numbers, std::string{where.name});
    CHECK(was_killed(writer));
    // Others go on, at once and in other processes.
    auto next = troupe::start([](queue<int> to) { to.put(4); }, numbers);
    CHECK(passed(next));
    const auto expected = where.committed ? std::vector{1, 2, 3, 4}
                                          : std::vector{1, 2, 4};
    CHECK(drained(numbers) == expected);
  }
}

TEST_CASE("a writer killed while the queue grows, or with a large item") {
  const auto before = troupe::test::living_bytes();
  for (const auto& where :
       {point{"mailbox.grow.created", false},
        point{"mailbox.grow.noted", false}, point{"mailbox.grow.linked", false},
        point{"mailbox.put.before_commit", false},
        point{"mailbox.grow.committed", true}}) {
    for (const int filled : {0, 6}) {
      CAPTURE(described(where));
      CAPTURE(filled);
      const queue<std::string> words;
      for (int i = 0; i < filled; ++i)
        words.put(numbered("before", 20'000));
      auto writer = troupe::start(
        [](queue<std::string> to, std::string at) {
          troupe::os::arm_crash_point(at);
          to.put(numbered("fatal", 20'000));
        },
        words, std::string{where.name});
      CHECK(was_killed(writer));
      words.put("small");
      words.put(numbered("after", 20'000));
      for (int i = 0; i < filled; ++i)
        CHECK((words.get() == numbered("before", 20'000)));
      if (where.committed)
        CHECK((words.get() == numbered("fatal", 20'000)));
      CHECK((words.get() == "small"));
      CHECK((words.get() == numbered("after", 20'000)));
      CHECK(words.empty());
    }
  }
  for (const auto& where : {point{"mailbox.put.apart", false},
                            point{"mailbox.put.before_commit", false},
                            point{"mailbox.put.committed", true}}) {
    // Also in the object of a message that has been read.
    for (const bool again : {false, true}) {
      CAPTURE(described(where));
      CAPTURE(again);
      const queue<std::string> words;
      words.put("before");
      auto writer = troupe::start(
        [](queue<std::string> to, std::string at, bool second) {
          const queue<std::string> own;
          if (second) {
            own.put(numbered("first", 3 << 20));
            static_cast<void>(own.get());
          }
          troupe::os::arm_crash_point(at);
          to.put(numbered("fatal", 3 << 20));
        },
        words, std::string{where.name}, again);
      CHECK(was_killed(writer));
      words.put(numbered("after", 3 << 20));
      CHECK(words.get() == "before");
      if (where.committed)
        CHECK((words.get() == numbered("fatal", 3 << 20)));
      CHECK((words.get() == numbered("after", 3 << 20)));
      CHECK(words.empty());
    }
  }
  // What a killed writer was about to hand over has been given back.
  CHECK(goes_back_to(before));
}

TEST_CASE("a reader killed at any named point of get") {
  for (const auto& where : {point{"mailbox.take.unlocked", false},
                            point{"mailbox.take.locked", false},
                            point{"mailbox.take.before_visit", false},
                            point{"mailbox.take.visited", false},
                            point{"mailbox.take.before_commit", false},
                            // From here on the item is the dead reader's.
                            point{"mailbox.take.committed", true},
                            point{"mailbox.take.unannounced", true}}) {
    CAPTURE(described(where));
    const queue<int> numbers{3};
    numbers.put(1);
    numbers.put(2);
    numbers.put(3);
    auto reader = troupe::start(
      [](queue<int> from, std::string at) {
        static_cast<void>(from.get());
        troupe::os::arm_crash_point(at);
        static_cast<void>(from.get());
      },
      numbers, std::string{where.name});
    CHECK(was_killed(reader));
    const auto expected = where.committed ? std::vector{3} : std::vector{2, 3};
    CHECK(drained(numbers) == expected);
    // A writer that waits for room is not forgotten either.
    for (int i = 0; i < 6; ++i) {
      CHECK(numbers.try_put_for(i, watchdog) == troupe::put_result::done);
      CHECK(numbers.get() == i);
    }
  }
}

TEST_CASE("the tasks of a reader killed at any named point are accounted for, "
          "also when another works in its place") {
  for (const auto& where : {point{"mailbox.take.before_visit", false},
                            point{"mailbox.take.before_commit", false},
                            point{"mailbox.take.committed", true},
                            point{"mailbox.take.unannounced", true}}) {
    CAPTURE(described(where));
    const queue<int> tasks;
    tasks.put(1);
    tasks.put(2);
    {
      auto reader = troupe::start(
        [](queue<int> from, std::string at) {
          troupe::os::arm_crash_point(at);
          static_cast<void>(from.get());
        },
        tasks, std::string{where.name});
      CHECK(was_killed(reader));
    }
    const auto dead_have_some = [&] {
      try {
        static_cast<void>(tasks.join_for(0ms));
        return false;
      } catch (const troupe::peer_died&) {
        return true;
      }
    };
    CHECK(dead_have_some() == where.committed);
    const queue<int> permits;
    auto next = troupe::start(
      [](queue<int> from, queue<int> permit) {
        while (from.try_get())
          from.task_done();
        static_cast<void>(permit.try_get_for(watchdog));
      },
      tasks, permits);
    const std::uint64_t left = where.committed ? 1 : 0;
    CHECK(eventually([&] { return tasks.box().unfinished() == left; }));
    CHECK(dead_have_some() == where.committed);
    permits.put(1);
    CHECK(passed(next));
  }
}

TEST_CASE("a writer that waits for room outlives the reader that made it") {
  const queue<int> numbers{1};
  numbers.put(1);
  auto writer = troupe::start([](queue<int> to) { to.put(2); }, numbers);
  CHECK(
    troupe::test::await_blocked(writer.pid(), troupe::test::wait_kind::room));
  auto reader = troupe::start(
    [](queue<int> from) {
      troupe::os::arm_crash_point("mailbox.take.unannounced");
      static_cast<void>(from.get());
    },
    numbers);
  CHECK(was_killed(reader));
  CHECK(passed(writer));
  CHECK(numbers.get() == 2);
}

TEST_CASE("a reader killed while it leaves a drained segment, or opens a large "
          "item") {
  const auto before = troupe::test::living_bytes();
  for (const auto& where : {point{"mailbox.take.before_commit", false},
                            point{"mailbox.take.committed", true},
                            point{"mailbox.take.drained", true}}) {
    CAPTURE(described(where));
    const queue<std::string> words;
    for (int i = 0; i < 10; ++i)
      words.put(numbered("word", 20'000));
    auto reader = troupe::start(
      [](queue<std::string> from, std::string at) {
        for (int i = 0; i < 3; ++i)
          static_cast<void>(from.get());
        troupe::os::arm_crash_point(at);
        for (int i = 0; i < 7; ++i)
          static_cast<void>(from.get());
      },
      words, std::string{where.name});
    CHECK(was_killed(reader));
    while (const auto word = words.try_get())
      CHECK((*word == numbered("word", 20'000)));
    words.put("after");
    CHECK(words.get() == "after");
  }
  for (const auto& where : {point{"mailbox.take.before_visit", false},
                            point{"mailbox.take.before_commit", false},
                            point{"mailbox.take.committed", true}}) {
    CAPTURE(described(where));
    const queue<std::string> words;
    words.put(numbered("large", 3 << 20));
    words.put("small");
    auto reader = troupe::start(
      [](queue<std::string> from, std::string at) {
        troupe::os::arm_crash_point(at);
        static_cast<void>(from.get());
      },
      words, std::string{where.name});
    CHECK(was_killed(reader));
    if (!where.committed)
      CHECK((words.get() == numbered("large", 3 << 20)));
    CHECK((words.get() == "small"));
    CHECK(words.empty());
  }
  // Killed when its share has ended: its memory carries the next message when
  // the next reader mends the mailbox. Unless all took so long that it went
  // back.
  bool carried_another = false;
  for (int i = 0; i < 50 && !carried_another; ++i) {
    const queue<std::string> words;
    words.put(numbered("large", 3 << 20));
    auto reader = troupe::start(
      [](queue<std::string> from) {
        troupe::os::arm_crash_point("mailbox.take.given_up");
        static_cast<void>(from.get());
      },
      words);
    CHECK(was_killed(reader));
    // The message has gone with its reader, and its memory serves the next.
    auto& memory = troupe::memory::run_memory::current();
    const auto kept = memory.reserved_bytes();
    words.put(numbered("next", 3 << 20));
    carried_another = memory.reserved_bytes() == kept;
    troupe::memory::warm_memory::give_back_own();
    CHECK((words.get() == numbered("next", 3 << 20)));
  }
  CHECK(carried_another);
  CHECK(goes_back_to(before));
}

TEST_CASE(
  "a process killed at any named point of sending or receiving a handle, "
  "or while it gives up a queue with handles in it, leaves nothing") {
  using troupe::value;
  const auto before = troupe::test::living_bytes();
  for (const auto& where :
       {point{"mailbox.put.noted", false}, point{"mailbox.put.apart", false},
        point{"mailbox.put.before_commit", false},
        point{"mailbox.put.committed", true}}) {
    CAPTURE(described(where));
    const queue<value<int>> handles;
    handles.put(value<int>{1});
    auto writer = troupe::start(
      [](queue<value<int>> to, std::string at) {
        troupe::os::arm_crash_point(at);
        to.put(value<int>{2});
      },
      handles, std::string{where.name});
    CHECK(was_killed(writer));
    handles.put(value<int>{3});
    CHECK(handles.get().get() == 1);
    if (where.committed)
      CHECK(handles.get().get() == 2);
    CHECK(handles.get().get() == 3);
  }
  for (const auto& where : {point{"mailbox.take.before_visit", false},
                            point{"mailbox.take.visited", false},
                            point{"mailbox.take.before_commit", false},
                            point{"mailbox.take.committed", true},
                            point{"mailbox.take.given_up", true}}) {
    CAPTURE(described(where));
    const queue<value<int>> handles;
    handles.put(value<int>{1});
    handles.put(value<int>{2});
    auto reader = troupe::start(
      [](queue<value<int>> from, std::string at) {
        troupe::os::arm_crash_point(at);
        static_cast<void>(from.get());
      },
      handles, std::string{where.name});
    CHECK(was_killed(reader));
    if (!where.committed)
      CHECK(handles.get().get() == 1);
    CHECK(handles.get().get() == 2);
    CHECK(handles.empty());
  }
  for (const std::string name :
       {"mailbox.dispose.before_commit", "mailbox.dispose.committed",
        "mailbox.dispose.forgotten"})
    for (const unsigned countdown : {1U, 2U, 3U}) {
      CAPTURE(name);
      CAPTURE(countdown);
      auto owner = troupe::start(
        [](std::string at, unsigned count) {
          const queue<std::pair<std::string, value<int>>> own;
          // Two segments, and messages in both.
          for (int i = 0; i < 5; ++i)
            own.put({numbered("text", 20'000), value<int>{i}});
          troupe::os::arm_crash_point(at, count);
        },
        name, countdown);
      CHECK(was_killed(owner));
    }
  CHECK(goes_back_to(before));
}

TEST_CASE("a reader killed while it sleeps, or as it wakes, swallows nothing") {
  for (const std::string where :
       {"mailbox.wait.prepared", "mailbox.wait.woken"}) {
    CAPTURE(where);
    const queue<int> numbers;
    const queue<int> taken;
    const queue<int> ready;
    auto victim = troupe::start(
      [](queue<int> from, queue<int> to, std::string at) {
        to.put(0);
        troupe::os::arm_crash_point(at);
        static_cast<void>(from.get());
      },
      numbers, ready, where);
    auto other = troupe::start([](queue<int> from,
                                  queue<int> to) { to.put(from.get()); },
                               numbers, taken);
    CHECK(ready.try_get_for(watchdog) == 0);
    CHECK(
      eventually([&] { return !victim.is_alive() || asleep(victim.pid()); }));
    numbers.put(7);
    // The wake-up may go to the victim, which dies of it.
    CHECK(taken.try_get_for(watchdog) == 7);
    numbers.put(8);
    CHECK(was_killed(victim));
    CHECK(passed(other));
    CHECK(drained(numbers) == std::vector{8});
  }
}

TEST_CASE("whoever closes is killed") {
  for (const auto& where : {point{"mailbox.close.locked", false},
                            point{"mailbox.close.unannounced", true}}) {
    CAPTURE(described(where));
    const queue<int> numbers;
    const queue<int> results;
    auto reader = troupe::start(
      [](queue<int> from, queue<int> to) {
        int count = 0;
        for ([[maybe_unused]] const int each : from)
          ++count;
        to.put(count);
      },
      numbers, results);
    numbers.put(1);
    auto closer = troupe::start(
      [](queue<int> which, std::string at) {
        troupe::os::arm_crash_point(at);
        which.close();
      },
      numbers, std::string{where.name});
    CHECK(was_killed(closer));
    CHECK(numbers.is_closed() == where.committed);
    if (!where.committed) {
      numbers.put(2);
      numbers.close();
    }
    CHECK(results.try_get_for(watchdog) == (where.committed ? 1 : 2));
    CHECK(passed(reader));
  }
}

TEST_CASE("a reader killed while it attaches to what an item names") {
  const queue<queue<int>> addresses;
  const queue<int> inner;
  addresses.put(inner);
  auto reader = troupe::start(
    [](queue<queue<int>> from) {
      troupe::os::arm_crash_point("channel.attach.held", 1);
      static_cast<void>(from.get());
    },
    addresses);
  CHECK(was_killed(reader));
  // The item was not taken, and what it names lives.
  auto next = troupe::start([](queue<queue<int>> from) { from.get().put(5); },
                            addresses);
  CHECK(passed(next));
  CHECK(inner.get() == 5);
}

TEST_CASE("a process killed while it closes its end of a pipe") {
  auto [here, there] = troupe::pipe<int>();
  auto child = troupe::start(
    [](connection<int> end) {
      end.send(end.receive());
      troupe::os::arm_crash_point("pipe.close.told");
      end.close();
    },
    there);
  // Only then is the child's handle the last of its end.
  there.close();
  here.send(1);
  CHECK(here.receive() == 1);
  CHECK_THROWS_AS(static_cast<void>(here.receive()), troupe::closed);
  CHECK(was_killed(child));
}

namespace {

/// Has a process killed at each point of the first use of a pipe, from either
/// end, and calls `then` with it, with a handle of the end that it uses and
/// with the other end. Nothing is left afterwards.
template <class Then>
void each_death_at_first_use(Then then) {
  const auto before = troupe::test::living_bytes();
  for (const std::string name : {"memory.late.made", "memory.late.named",
                                 "memory.late.owned", "pipe.open.told"})
    for (const bool is_first : {true, false}) {
      CAPTURE(name);
      CAPTURE(is_first);
      auto [first, second] = troupe::pipe<int>();
      auto& theirs = is_first ? first : second;
      auto& ours = is_first ? second : first;
      const auto child = troupe::start(
        [](connection<int> end, std::string at) {
          troupe::os::arm_crash_point(at.c_str(), 1);
          end.send(1);
        },
        theirs, name);
      then(child, theirs, ours);
    }
  CHECK(goes_back_to(before));
}

} // namespace

TEST_CASE("a process killed at any point of the first use of a pipe leaves one "
          "that works") {
  each_death_at_first_use([](const troupe::process& child,
                             connection<int>& theirs, connection<int>& ours) {
    CHECK(was_killed(child));
    theirs.send(2);
    CHECK(ours.receive() == 2);
    ours.send(3);
    CHECK(theirs.receive() == 3);
    theirs.close();
    CHECK_THROWS_AS(static_cast<void>(ours.receive()), troupe::closed);
  });
}

TEST_CASE("a process killed at any point of the first use of a pipe takes its "
          "end along") {
  each_death_at_first_use([](const troupe::process& child,
                             connection<int>& theirs, connection<int>& ours) {
    theirs.close();
    // Before we make the mailbox.
    CHECK(was_killed(child));
    CHECK_THROWS_AS(static_cast<void>(ours.receive()), troupe::closed);
    CHECK_THROWS_AS(ours.send(1), troupe::closed);
  });
}

TEST_CASE(
  "a process killed while it finds that nobody is at the other end of a "
  "pipe leaves the others to find it") {
  const auto before = troupe::test::living_bytes();
  for (const std::string name :
       {"memory.late.named", "memory.late.owned", "pipe.open.told"})
    for (const bool is_first : {true, false}) {
      CAPTURE(name);
      CAPTURE(is_first);
      auto [first, second] = troupe::pipe<int>();
      auto& ours = is_first ? first : second;
      (is_first ? second : first).close();
      const auto child = troupe::start(
        [](connection<int> end, std::string at) {
          troupe::os::arm_crash_point(at.c_str(), 1);
          static_cast<void>(end.poll());
        },
        ours, name);
      CHECK(was_killed(child));
      CHECK(ours.poll());
      CHECK_THROWS_AS(static_cast<void>(ours.receive()), troupe::closed);
      CHECK_THROWS_AS(ours.send(1), troupe::closed);
    }
  CHECK(goes_back_to(before));
}

TEST_CASE("a process killed while it wakes another wakes it by its death") {
  for (int round = 0; round < 20; ++round) {
    queue<int> first;
    queue<int> second;
    auto child = troupe::start(
      [](queue<int> to) {
        auto& root = troupe::memory::run_memory::current().slot(0);
        while ((root.wake_word.load() & 1) == 0 || !asleep(root.pid.load()))
          std::this_thread::yield();
        troupe::os::arm_crash_point("memory.ring.answered");
        to.put(1);
      },
      second);
    CHECK(troupe::wait_any(first, second, 30s) == 1);
    CHECK(second.try_get() == 1);
    CHECK(was_killed(child));
  }
}

// Random instants -------------------------------------------------------------

namespace {

/// A writer's life and number make an item.
struct item {
  std::uint32_t life;
  std::uint32_t number;
};

constexpr std::size_t most_lives = 4096;
constexpr std::size_t most_numbers = 512;

/// What the processes note in shared memory, where no kill erases it.
struct notes {
  /// Per writer's life: how many puts have returned.
  array<std::uint32_t> acknowledged;
  /// Per item: how many gets have returned it.
  array<std::uint8_t> received;
  /// How often a reader saw a writer's items out of order.
  array<std::uint32_t> disorder;
};

void write_items(queue<item> to, notes noted, std::uint32_t life) {
  for (std::uint32_t number = 0; number < most_numbers; ++number) {
    to.put({life, number});
    noted.acknowledged.atomic(life).store(number + 1);
  }
  // Wait to be killed: a writer that is done is no victim.
  troupe::test::sleep_for_ever();
}

void read_items(queue<item> from, notes noted) {
  std::map<std::uint32_t, std::uint32_t> next;
  for (const auto& [life, number] : from) {
    noted.received.atomic(life * most_numbers + number).fetch_add(1);
    if (const auto found = next.find(life);
        found != next.end() && number < found->second)
      noted.disorder.atomic(0).fetch_add(1);
    next[life] = number + 1;
  }
}

struct totals {
  std::size_t acknowledged = 0;
  std::size_t missing = 0;
  std::size_t doubled = 0;
  /// Received though not acknowledged: their put was committed.
  std::size_t surplus_lives = 0;
  std::size_t invented = 0;
};

totals count(const notes& noted, std::size_t lives) {
  totals result;
  for (std::size_t life = 0; life < lives; ++life) {
    const auto acknowledged = noted.acknowledged[life];
    result.acknowledged += acknowledged;
    for (std::size_t number = 0; number < most_numbers; ++number) {
      const auto times = noted.received[life * most_numbers + number];
      if (times > 1)
        ++result.doubled;
      if (number < acknowledged && times == 0)
        ++result.missing;
      // One put may have been committed and not have returned.
      if (number == acknowledged && times != 0)
        ++result.surplus_lives;
      if (number > acknowledged && times != 0)
        ++result.invented;
    }
  }
  return result;
}

/// Kills writers, or readers, `kills` times at random instants.
void kill_at_random(std::size_t kills, bool readers_too, std::size_t limit) {
  std::mt19937_64 random{seed()};
  const queue<item> items{limit};
  notes noted{array<std::uint32_t>(most_lives),
              array<std::uint8_t>(most_lives * most_numbers),
              array<std::uint32_t>(1)};
  std::uint32_t lives = 0;
  std::size_t killed_readers = 0;
  const auto new_writer = [&] {
    return troupe::start<write_items>(items, noted, lives++);
  };
  const auto new_reader = [&] {
    return troupe::start<read_items>(items, noted);
  };
  std::vector<troupe::process> writers;
  std::vector<troupe::process> readers;
  for (int i = 0; i < 2; ++i) {
    writers.push_back(new_writer());
    readers.push_back(new_reader());
  }
  for (std::size_t i = 0; i < kills; ++i) {
    sleep_at_random(random, 1500us);
    const bool reader = readers_too && random() % 2 == 0;
    auto& victim = (reader ? readers : writers)[random() % 2];
    static_cast<void>(victim.pid());
    victim.kill();
    REQUIRE(was_killed(victim));
    victim = reader ? new_reader() : new_writer();
    killed_readers += reader ? 1 : 0;
  }
  for (auto& each : writers) {
    each.kill();
    REQUIRE(was_killed(each));
  }
  items.close();
  for (auto& each : readers)
    CHECK(passed(each));
  const auto sums = count(noted, lives);
  MESSAGE(sums.acknowledged << " acknowledged, " << sums.missing
                            << " taken along by " << killed_readers
                            << " killed readers");
  CHECK(sums.acknowledged > 0);
  CHECK(sums.doubled == 0);
  CHECK(sums.invented == 0);
  CHECK(sums.missing <= killed_readers);
  CHECK(noted.disorder[0] == 0);
  CHECK(items.empty());
}

} // namespace

TEST_CASE("1,000 writers killed at random: nothing is lost") {
  kill_at_random(500, false, 0);
  kill_at_random(500, false, 3);
}

TEST_CASE("1,000 writers and readers killed at random: at most what a killed "
          "reader had in its hands") {
  kill_at_random(500, true, 0);
  kill_at_random(500, true, 3);
}
