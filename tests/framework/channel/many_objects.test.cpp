// SPDX-License-Identifier: BSL-1.0

// What small objects cost where they are many, in a run with the limits that it
// has by itself.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <troupe/channel/pipe.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/condition.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/semaphore.hpp>

#include <support/living_bytes.hpp>
#include <support/sanitized.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

/// A million, where there is memory for that: at least 3 KiB for each three.
std::size_t how_many() {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const bool is_small = pages * page < 4ULL << 30;
  return troupe::test::sanitized || is_small ? 20'000 : 1'000'000;
}

template <class T, class Make>
std::vector<T>
make_many(const char* name, std::uint64_t most_bytes, Make make) {
  const auto count = how_many();
  std::vector<T> made;
  made.reserve(count);
  const auto before = troupe::test::living_bytes();
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i)
    made.push_back(make());
  const std::chrono::duration<double, std::micro> took
    = std::chrono::steady_clock::now() - start;
  const auto each = (troupe::test::living_bytes() - before) / count;
  std::printf("%zu times %s: %llu bytes and %.2f us each\n", count, name,
              static_cast<unsigned long long>(each),
              took.count() / static_cast<double>(count));
  CHECK(each <= most_bytes);
  return made;
}

using ends = std::pair<troupe::connection<int>, troupe::connection<int>>;

} // namespace

TEST_CASE("a million values, mutexes and pipes live in one run") {
  const auto before = troupe::test::living_bytes();
  {
    const auto values = make_many<troupe::value<int>>("value", 256, [] {
      return troupe::value<int>{7};
    });
    const auto locks = make_many<troupe::mutex>("mutex", 256,
                                                [] { return troupe::mutex{}; });
    const auto pipes = make_many<ends>("pipe", 256,
                                       [] { return troupe::pipe<int>(); });
    // Each of them is one of its own, and works.
    for (std::size_t i = 0; i < values.size(); i += values.size() / 100) {
      values[i].store(static_cast<int>(i));
      locks[i].lock();
      pipes[i].first.send(static_cast<int>(i));
    }
    for (std::size_t i = 0; i < values.size(); i += values.size() / 100) {
      CHECK(values[i].load() == static_cast<int>(i));
      CHECK(locks[i].is_mine());
      locks[i].unlock();
      CHECK(pipes[i].second.receive() == static_cast<int>(i));
    }
    CHECK(values[1].load() == 7);
    CHECK(!locks[1].is_locked());
  }
  troupe::memory::warm_memory::give_back_own();
  CHECK(troupe::test::living_bytes() == before);
}

TEST_CASE(
  "a million semaphores, events and conditions live in one run, each of "
  "256 bytes") {
  const auto before = troupe::test::living_bytes();
  {
    const auto units = make_many<troupe::semaphore>("semaphore", 256, [] {
      return troupe::semaphore{1};
    });
    // Still no more: the unit is noted inside.
    const auto of_all = troupe::test::living_bytes();
    for (std::size_t i = 0; i < units.size(); i += units.size() / 100)
      CHECK(units[i].try_acquire());
    CHECK(units[0].value() == 0);
    CHECK(units[1].value() == 1);
    CHECK(troupe::test::living_bytes() == of_all);
  }
  {
    const auto flags = make_many<troupe::event>("event", 256,
                                                [] { return troupe::event{}; });
    flags[1].set();
    CHECK(flags[1].is_set());
    CHECK(!flags[0].is_set());
  }
  {
    const auto changes = make_many<troupe::condition>("condition", 256, [] {
      return troupe::condition{};
    });
    CHECK(changes[0].notify(1) == 0);
  }
  troupe::memory::warm_memory::give_back_own();
  CHECK(troupe::test::living_bytes() == before);
}

int main(int argc, char** argv) {
  const troupe::program program{argc, argv};
  return doctest::Context(argc, argv).run();
}
