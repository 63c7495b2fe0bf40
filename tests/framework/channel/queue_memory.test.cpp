// SPDX-License-Identifier: BSL-1.0

// The queue's memory: large items, backlogs, limits, and what costs nothing.

#include <troupe/base/copy.hpp>
#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/process/start.hpp>

#include <support/eventually.hpp>
#include <support/leftovers.hpp>
#include <support/living_bytes.hpp>
#include <support/passed.hpp>
#include <support/sanitized.hpp>
#include <support/system_calls.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using troupe::queue;
using troupe::test::eventually;
using troupe::test::passed;

namespace {

void put_often(queue<int> numbers) {
  for (int i = 0; i < 100; ++i)
    numbers.put(i);
}

} // namespace

TEST_CASE("items of 64 MiB") {
  const queue<std::vector<std::uint32_t>> blobs;
  auto writer = troupe::start(
    [](queue<std::vector<std::uint32_t>> to) {
      for (std::uint32_t i = 0; i < 2; ++i) {
        std::vector<std::uint32_t> blob(16 << 20);
        std::iota(blob.begin(), blob.end(), i);
        to.put(blob);
      }
    },
    blobs);
  for (std::uint32_t i = 0; i < 2; ++i) {
    const auto blob = blobs.get();
    REQUIRE(blob.size() == 16 << 20);
    CHECK(blob.front() == i);
    CHECK(blob[7'654'321] == i + 7'654'321);
    CHECK(blob.back() == i + (16 << 20) - 1);
  }
  CHECK(passed(writer));
}

TEST_CASE("a large item is copied once on each side") {
  // In a ring, and in an object of its own.
  for (const std::size_t size : {std::size_t{1} << 20, std::size_t{8} << 20}) {
    const queue<std::vector<std::string>> texts;
    const std::vector<std::string> some(3, std::string(size, 't'));
    const auto before = troupe::copied_bytes();
    texts.put(some);
    CHECK(troupe::copied_bytes() - before == 3 * size);
    CHECK(texts.get() == some);
    CHECK(troupe::copied_bytes() - before == 6 * size);
    texts.put_many(std::vector{some, some});
    CHECK(troupe::copied_bytes() - before == 12 * size);
    CHECK(texts.get() == some);
    CHECK(texts.get() == some);
  }
}

TEST_CASE("large items use objects again, which go back when nobody sends") {
  auto& memory = troupe::memory::run_memory::current();
  const queue<std::string> texts;
  const queue<int> nothing;
  texts.put("first");
  CHECK(texts.get() == "first");
  troupe::memory::warm_memory::give_back_own();
  const auto before = memory.reserved_bytes();
  texts.put(std::string(8 << 20, 't'));
  CHECK(texts.get() == std::string(8 << 20, 't'));
  const auto kept = memory.reserved_bytes();
  CHECK(kept > before + (8 << 20));
  for (const std::size_t size : {8U << 20, 7U << 20, 8U << 20}) {
    texts.put(std::string(size, 't'));
    CHECK(texts.get() == std::string(size, 't'));
    CHECK(memory.reserved_bytes() == kept);
  }
  // An unread one is left alone.
  for (int i = 0; i < 5; ++i)
    texts.put(std::string(4 << 20, static_cast<char>('a' + i)));
  for (int i = 0; i < 5; ++i)
    CHECK(texts.get() == std::string(4 << 20, static_cast<char>('a' + i)));
  CHECK(memory.reserved_bytes() > before);
  troupe::memory::warm_memory::give_back_own();
  CHECK(memory.reserved_bytes() == before);
  // No more than an eighth of what the run may use is kept.
  auto& limit = memory.header().memory_limit;
  const auto whole = limit.exchange(memory.reserved_bytes() + (800 << 20));
  for (int i = 0; i < 3; ++i)
    texts.put(std::string(90 << 20, 'l'));
  for (int i = 0; i < 3; ++i)
    CHECK(texts.get().size() == 90 << 20);
  CHECK(memory.reserved_bytes() > before + (90ULL << 20));
  CHECK(memory.reserved_bytes() < before + (180ULL << 20));
  limit = whole;
  CHECK(eventually([&] {
    CHECK_FALSE(nothing.try_get_for(300ms));
    return memory.reserved_bytes() == before;
  }));
}

TEST_CASE("the memory of a drained backlog goes back") {
  auto& memory = troupe::memory::run_memory::current();
  const queue<std::string> words;
  const std::string word(1000, 'w');
  words.put(word);
  static_cast<void>(words.get());
  const auto before = memory.used_bytes();
  for (int i = 0; i < 50'000; ++i)
    words.put(word);
  CHECK(memory.used_bytes() > before + (50 << 20) / 2);
  for (int i = 0; i < 50'000; ++i)
    REQUIRE(words.get() == word);
  troupe::memory::warm_memory::give_back_own();
  CHECK(memory.used_bytes() < before + (5 << 20));
  words.put("after");
  CHECK(words.get() == "after");
}

TEST_CASE("the memory of a queue that nobody holds goes back, with its items") {
  troupe::memory::warm_memory::give_back_own();
  const auto before = troupe::test::living_bytes();
  {
    const queue<std::string> words;
    const queue<queue<std::string>> queues;
    for (int i = 0; i < 10'000; ++i)
      words.put(std::string(1000, 'w'));
    words.put(std::string(5 << 20, 'w'));
    for (int i = 0; i < 100; ++i) {
      const queue<std::string> inner;
      inner.put("inside");
      queues.put(inner);
      queues.put(words);
    }
    CHECK(queues.get().get() == "inside");
    CHECK(queues.get() == words);
  }
  // What this process keeps for its next large item.
  troupe::memory::warm_memory::give_back_own();
  CHECK(troupe::test::living_bytes() == before);
}

namespace {

/// An item that carries a queue of its own kind.
struct carrier {
  std::vector<queue<carrier>> next;

  void save(troupe::codec::encoder& to) const {
    to.save(next);
  }
  static carrier load(troupe::codec::decoder& from) {
    return {from.load<std::vector<queue<carrier>>>()};
  }
};

} // namespace

TEST_CASE("queues that hold each other last until they are drained, or the run "
          "ends") {
  using troupe::memory::object_kind;
  for (const auto kind :
       {object_kind::queue, object_kind::segment, object_kind::message})
    troupe::test::may_leave(kind, 3);
  const auto before = troupe::test::living_bytes();
  {
    const queue<carrier> self;
    self.put({{self}});
  }
  // Nobody has a handle, and the item has one for ever.
  const auto one = troupe::test::living_bytes();
  CHECK(one > before);
  {
    const queue<carrier> a;
    const queue<carrier> b;
    a.put({{b}});
    b.put({{a}});
  }
  CHECK(troupe::test::living_bytes() > one);
  // What is taken out before holds nothing.
  const auto two = troupe::test::living_bytes();
  {
    const queue<carrier> self;
    self.put({{self}});
    self.close();
    static_cast<void>(self.get());
  }
  CHECK(troupe::test::living_bytes() == two);
  {
    // To hold a queue that does not hold the first is no circle.
    const queue<carrier> outer;
    outer.put({{queue<carrier>{}}});
  }
  CHECK(troupe::test::living_bytes() == two);
}

TEST_CASE("reaching the memory limit of the run loses nothing") {
  // The limit of this run is the machine's, so the message is too large at
  // once.
  const queue<std::string> words;
  words.put("first");
  troupe::memory::warm_memory::give_back_own();
  auto& header = troupe::memory::run_memory::current().header();
  const auto limit = header.memory_limit.load();
  header.memory_limit = troupe::memory::run_memory::current().reserved_bytes()
                        + (1 << 20);
  CHECK_THROWS_AS(words.put(std::string(3 << 20, 'x')), troupe::limit_reached);
  CHECK_THROWS_AS(
    [&] {
      for (;;)
        words.put(std::string(10'000, 'x'));
    }(),
    troupe::limit_reached);
  header.memory_limit = limit;
  words.put("last");
  CHECK(words.get() == "first");
  std::string last;
  while (!words.empty())
    last = words.get();
  CHECK(last == "last");
}

TEST_CASE("putting into a queue that is not empty costs no system call") {
  if (troupe::test::sanitized)
    return;
  queue<int> numbers;
  numbers.put(0);
  const auto calls = troupe::test::system_calls_of<put_often>(numbers);
  CHECK(calls.value_or(0) == 0);
  if (calls)
    CHECK(numbers.size() == 201);
}
