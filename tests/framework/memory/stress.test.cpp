// SPDX-License-Identifier: BSL-1.0
// The oracle: when all is over nothing is reserved, and not a page is used that
// was not used before. It cannot see a page that was given back too early and
// then written again; the guards inside the objects are for that.
#include <troupe/memory/reference.hpp>

#include "scratch_run.hpp"

#include <troupe/base/error.hpp>

#include <doctest/doctest.h>
#include <support/seed.hpp>

#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using memory::object_id;
using memory::object_kind;
using memory::reference;
using memory::run_memory;

namespace {

constexpr auto kind = object_kind::user;
constexpr std::size_t cells = 16;

using board = std::array<std::atomic<object_id>, cells>;
using random_numbers = std::minstd_rand;

/// An object whose every page says which object it is.
struct guarded {
  static reference make(std::uint64_t size) {
    auto made = reference::create(kind, size);
    for (std::uint64_t at = 0; at + 8 <= size; at += 4096)
      reinterpret_cast<std::atomic<object_id>*>(made.data() + at)
        ->store(made.id(), std::memory_order_relaxed);
    return made;
  }

  static void check(const reference& held) {
    for (std::uint64_t at = 0; at + 8 <= held.size(); at += 4096)
      if (const auto found
          = reinterpret_cast<std::atomic<object_id>*>(held.data() + at)->load();
          found != held.id())
        throw std::runtime_error("object " + std::to_string(held.id())
                                 + " is held, but says "
                                 + std::to_string(found));
  }
};

/// Creates, attaches and drops at random. Handles pass through the board bare:
/// they may be stale by the time somebody tries them.
void churn(board& shared, unsigned start, const std::atomic<bool>* stop,
           int rounds) {
  random_numbers random{start};
  std::vector<reference> mine;
  for (int round = 0; round < rounds && !(stop && stop->load()); ++round) {
    auto& cell = shared[random() % cells];
    switch (random() % 4) {
      case 0:
        mine.push_back(guarded::make(8 + random() % 20'000));
        // The page guards stand: now it may be found.
        cell.store(mine.back().id());
        break;
      case 1:
        if (const auto where = cell.load(); where != 0)
          try {
            mine.push_back(reference::attach(where, kind));
            if (mine.size() % 2 == 0)
              guarded::check(mine.back());
          } catch (const stale_handle&) {
          }
        break;
      default:
        if (!mine.empty()) {
          const auto which = random() % mine.size();
          guarded::check(mine[which]);
          std::swap(mine[which], mine.back());
          mine.pop_back();
        }
    }
  }
}

/// The same with messages: a handle on the board is one message.
void exchange(board& shared, unsigned start, int rounds) {
  random_numbers random{start};
  std::vector<reference> mine;
  for (int round = 0; round < rounds; ++round) {
    auto& cell = shared[random() % cells];
    if (random() % 2 == 0) {
      if (mine.empty())
        mine.push_back(guarded::make(8 + random() % 20'000));
      const auto old = cell.exchange(memory::send(mine.back()));
      mine.pop_back();
      if (old != 0)
        memory::forget(old);
    } else if (const auto where = cell.exchange(0); where != 0) {
      mine.push_back(memory::receive(where, kind));
      guarded::check(mine.back());
    }
  }
}

} // namespace

TEST_CASE("many threads that create, attach and drop lose nothing") {
  const auto start = seed();
  CHECK(in_new_run({},
                   [start] {
                     warm_up(0);
                     auto place = reference::create(kind, sizeof(board));
                     auto& shared = *place.as<board>();
                     std::vector<std::thread> threads;
                     std::atomic<int> failed{0};
                     for (unsigned number = 0; number < 4; ++number)
                       threads.emplace_back([&, number] {
                         try {
                           churn(shared, start + number, nullptr, 4000);
                         } catch (const std::exception& failure) {
                           std::fprintf(stderr, "%s\n", failure.what());
                           ++failed;
                         }
                       });
                     for (auto& thread : threads)
                       thread.join();
                     expect(failed == 0, "a held object was given back");
                     place.reset();
                     memory::warm_memory::give_back_own();
                     expect(run_memory::current().reserved_bytes() == 0,
                            "bytes stay reserved");
                     // The tables of handles have grown by at most a page or two.
                     expect(bytes_of_objects() < 64 * 4096,
                            std::to_string(bytes_of_objects()));
                   })
        == "");
}

TEST_CASE("many processes that send and receive lose nothing") {
  const auto start = seed();
  CHECK(in_new_run({},
                   [start] {
                     constexpr std::uint32_t workers = 4;
                     warm_up(workers);
                     const auto base = bytes_of_objects();
                     auto place = reference::create(kind, sizeof(board));
                     auto& shared = *place.as<board>();
                     std::array<pid_t, workers> pids{};
                     for (std::uint32_t number = 0; number < workers; ++number)
                       pids[number] = fork_into_slot(number + 1, [&] {
                         exchange(shared, start + number, 4000);
                       });
                     for (std::uint32_t number = 0; number < workers; ++number)
                       expect(confirm(pids[number], number + 1) == 0,
                              "a worker failed");
                     for (auto& cell : shared)
                       if (const auto where = cell.exchange(0); where != 0)
                         memory::forget(where);
                     place.reset();
                     expect_nothing_left(base, "after all messages");
                   })
        == "");
}

TEST_CASE("processes killed at random while they create, attach and drop "
          "leave nothing") {
  const auto start = seed();
  CHECK(
    in_new_run(
      {},
      [start] {
        constexpr std::uint32_t workers = 4;
        constexpr int kills = 600;
        random_numbers random{start};
        warm_up(workers);
        const auto base = bytes_of_objects();
        auto place = reference::create(kind, sizeof(board));
        auto& shared = *place.as<board>();
        std::array<pid_t, workers> pids{};
        const auto begin = [&](std::uint32_t number) {
          const auto own = static_cast<unsigned>(random());
          pids[number] = fork_into_slot(number + 1, [&shared, own] {
            churn(shared, own, nullptr, 1 << 30);
          });
        };
        for (std::uint32_t number = 0; number < workers; ++number)
          begin(number);
        for (int kill = 0; kill < kills; ++kill) {
          ::usleep(static_cast<useconds_t>(random() % 2000));
          const auto number = static_cast<std::uint32_t>(random() % workers);
          ::kill(pids[number], SIGKILL);
          expect(confirm(pids[number], number + 1) == SIGKILL,
                 "a worker failed before it was killed");
          begin(number);
        }
        for (std::uint32_t number = 0; number < workers; ++number) {
          ::kill(pids[number], SIGKILL);
          confirm(pids[number], number + 1);
        }
        place.reset();
        expect_nothing_left(base, "after " + std::to_string(kills) + " kills");
      })
    == "");
}
