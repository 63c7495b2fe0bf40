// SPDX-License-Identifier: BSL-1.0

// Kills the workers of pools: at each named point of a task's way, in each of
// the ways in which a task can end its process, and at random instants. Every
// task is accounted for: it has its result or an error that says why not, and
// nobody hangs.

#include <troupe/os/crash_point.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/shared/value.hpp>

#include <support/eventually.hpp>
#include <support/sanitized.hpp>
#include <support/seed.hpp>
#include <support/sleeping.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

struct tally {
  int good = 0;
  int died = 0;
  int threw = 0;
  std::string story;
};

/// Takes everything out of a stream of results; each must be its index.
template <class Stream>
tally take_all(Stream stream) {
  tally result;
  for (bool more = true; more;)
    try {
      more = stream.next().has_value();
      result.good += more ? 1 : 0;
    } catch (const troupe::remote_error& failure) {
      result.story = failure.what();
      if (failure.code() == troupe::errc::process_died)
        ++result.died;
      else
        ++result.threw;
    }
  return result;
}

/// Arms a crash point in its worker before the third task.
int arms(const std::string& point, int number) {
  if (number == 3)
    troupe::os::arm_crash_point(point, 1);
  return number;
}

/// A value that ends its process when it is encoded or decoded.
struct bomb {
  enum kind : int {
    none,
    encode_kill,
    decode_kill,
    encode_throw,
    decode_throw
  };
  int what = none;
  int number = 0;

  void save(troupe::codec::encoder& to) const {
    if (what == encode_kill)
      ::raise(SIGKILL);
    if (what == encode_throw)
      throw std::runtime_error{"will not be encoded"};
    to.save(what);
    to.save(number);
  }

  static bomb load(troupe::codec::decoder& from) {
    bomb result;
    result.what = from.load<int>();
    result.number = from.load<int>();
    if (result.what == decode_kill)
      ::raise(SIGKILL);
    if (result.what == decode_throw)
      throw std::runtime_error{"will not be decoded"};
    return result;
  }
};

/// The first process that decodes it dies before its initialiser runs.
struct fuse {
  troupe::value<int> starts;

  void save(troupe::codec::encoder& to) const {
    to.save(starts);
  }

  static fuse load(troupe::codec::decoder& from) {
    fuse result{from.load<troupe::value<int>>()};
    if (++result.starts == 1)
      troupe::os::arm_crash_point("pool.worker.initialize");
    return result;
  }
};

void starts_armed(const fuse&) {
}

int square(int number) {
  return number * number;
}

int defused(const bomb& given) {
  return given.number;
}

bomb armed(int number) {
  return {number == 3 ? bomb::encode_kill : bomb::none, number};
}

bomb refusing(int number) {
  return {number == 3 ? bomb::encode_throw : bomb::none, number};
}

[[gnu::noinline]] int deeper(volatile char* above, int depth) {
  volatile char room[65536];
  room[0] = above == nullptr ? '\0' : above[0];
  return depth < 0 ? room[0] : deeper(room, depth + 1) + room[0];
}

/// Ends its process in one of the ways there are, before the third result.
int ends(int how, int number) {
  if (number != 3)
    return number;
  switch (how) {
    case 0: ::raise(SIGKILL); break;
    case 1: ::raise(SIGSEGV); break;
    case 2: std::abort();
    case 3: ::_exit(7);
    case 4: std::exit(8);
    case 5: return deeper(nullptr, 0);
    case 6: {
      rlimit memory{256U << 20, 256U << 20};
      ::setrlimit(RLIMIT_DATA, &memory);
      std::set_new_handler([] { std::abort(); });
      std::vector<std::string> all;
      for (;;)
        all.emplace_back(16U << 20, 'x');
    }
    default: break;
  }
  return number;
}

template <class F>
auto pairs(F first, int count) {
  std::vector<std::tuple<F, int>> result;
  for (int i = 0; i < count; ++i)
    result.emplace_back(first, i);
  return result;
}

/// What each task of `starmap_async` came to, one future for each.
template <auto F, class First>
tally apply_each(troupe::pool& pool, const First& first, int count) {
  tally result;
  std::vector<troupe::task_future<int>> futures;
  for (int i = 0; i < count; ++i)
    futures.push_back(pool.apply_async<F>(first, i));
  for (auto& each : futures)
    try {
      static_cast<void>(each.get());
      ++result.good;
    } catch (const troupe::remote_error& failure) {
      result.story = failure.what();
      if (failure.code() == troupe::errc::process_died)
        ++result.died;
      else
        ++result.threw;
    }
  return result;
}

std::vector<std::int32_t>
pids_of(const std::vector<troupe::process_view>& all) {
  std::vector<std::int32_t> result;
  for (const auto& each : all)
    result.push_back(each.pid());
  return result;
}

} // namespace

TEST_CASE("a worker killed at any point of a task costs one task at the most") {
  for (const std::string point :
       {"pool.worker.decode", "pool.worker.taken", "pool.worker.run",
        "pool.worker.encode", "pool.worker.reply", "pool.worker.replied"}) {
    CAPTURE(point);
    troupe::pool pool{2};
    const auto before = pids_of(pool.workers());
    auto result = apply_each<arms>(pool, point, 40);
    CHECK(result.good + result.died == 40);
    // The other worker may have had all the tasks after the third: the armed
    // one dies of a later one.
    REQUIRE(troupe::test::eventually([&] {
      if (pids_of(pool.workers()) != before)
        return true;
      result.died += apply_each<arms>(pool, point, 2).died;
      return false;
    }));
    CHECK(result.died <= 1);
    CHECK(pool.apply([] { return 5; }) == 5);
  }
}

TEST_CASE("a worker killed right before its initialiser costs no task") {
  const troupe::value<int> starts;
  std::atomic<int> restarts{0};
  troupe::pool pool{
    {.size = 2, .report = [&](const troupe::restart_report&) { ++restarts; }},
    troupe::worker_hooks{}.on_start<starts_armed>(fuse{starts})};
  const auto squares = pool.map<square>(std::views::iota(0, 40), 1);
  for (int i = 0; i < 40; ++i)
    CHECK(squares[static_cast<std::size_t>(i)] == i * i);
  // It may die when the other one has done everything; whoever uses the pool
  // next finds it.
  CHECK(troupe::test::eventually(
    [&] { return pool.apply<square>(2) == 4 && restarts == 1; }));
  CHECK(starts.get() >= 2);
  CHECK(pool.apply([] { return 5; }) == 5);
}

TEST_CASE("however a task ends its process, it fails alone") {
  for (int how = 0; how < 7; ++how) {
    if (troupe::test::sanitized && (how == 5 || how == 6))
      continue;
    CAPTURE(how);
    troupe::pool pool{2};
    const auto result = apply_each<ends>(pool, how, 20);
    CHECK(result.good == 19);
    CHECK(result.died == 1);
    CHECK(result.story.find("pool-") != std::string::npos);
  }
}

TEST_CASE("arguments and results that kill or refuse fail alone") {
  troupe::pool pool{2};
  for (const int what : {bomb::decode_kill, bomb::decode_throw, bomb::none}) {
    CAPTURE(what);
    std::vector<bomb> given(20);
    given[3].what = what;
    const auto result = take_all(pool.imap<defused>(given));
    CHECK(result.good == (what == bomb::none ? 20 : 19));
    CHECK(result.died == (what == bomb::decode_kill ? 1 : 0));
    CHECK(result.threw == (what == bomb::decode_throw ? 1 : 0));
  }
  std::vector<bomb> unsendable(1);
  unsendable[0].what = bomb::encode_throw;
  CHECK_THROWS_AS(static_cast<void>(pool.map<defused>(unsendable)),
                  std::runtime_error);
  const auto killed = take_all(pool.imap<armed>(std::views::iota(0, 20)));
  CHECK(killed.good == 19);
  CHECK(killed.died == 1);
  const auto refused = take_all(pool.imap<refusing>(std::views::iota(0, 20)));
  CHECK(refused.good == 19);
  CHECK(refused.threw == 1);
}

TEST_CASE("workers killed at random lose no task, and close always ends") {
  std::minstd_rand random{troupe::test::seed()};
  const int most = troupe::test::sanitized ? 200 : 5000;
  std::atomic<int> kills = 0;
  int rounds = 0;
  while (kills < most) {
    CAPTURE(rounds);
    troupe::pool pool{{.size = 3,
                       .retries = 1'000'000,
                       .report = [](const troupe::restart_report&) {}}};
    std::atomic<bool> over = false;
    std::jthread killer{[&, next = random()]() mutable {
      std::minstd_rand mine{static_cast<std::uint32_t>(next)};
      for (int i = 0; i < 100; ++i) {
        troupe::test::sleep_at_random(mine, 2ms);
        const auto all = pool.workers();
        if (!all.empty() && all[mine() % all.size()].kill())
          ++kills;
      }
      over = true;
    }};
    const std::size_t chunk = 1 + random() % 20;
    bool right = true;
    do {
      const auto result = pool.map(
        [](int number) {
          for (int i = 0; i < 20'000; ++i)
            std::atomic_signal_fence(std::memory_order_seq_cst);
          return number * 2;
        },
        std::views::iota(0, 2000), chunk);
      right = right && result.size() == 2000;
      for (int i = 0; i < 2000 && right; ++i)
        right = result[static_cast<std::size_t>(i)] == i * 2;
    } while (!over);
    CHECK(right);
    killer.join();
    random();
    if (rounds % 2 == 0) {
      pool.close();
      pool.join();
    }
    ++rounds;
  }
}
