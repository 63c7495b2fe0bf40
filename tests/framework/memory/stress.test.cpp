// SPDX-License-Identifier: BSL-1.0
// The oracle: when all is over nothing is reserved, and not a page is used that
// was not used before. It cannot see a page that was given back too early and
// then written again; the guards inside the objects are for that.
#include <troupe/memory/reference.hpp>

#include "scratch_run.hpp"

#include <troupe/base/error.hpp>

#include <doctest/doctest.h>
#include <support/seed.hpp>
#include <support/sleeping.hpp>

#include <array>
#include <atomic>
#include <chrono>
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

/// The same with messages: an object on the board has a share of another.
void exchange(board& shared, unsigned start, int rounds) {
  random_numbers random{start};
  std::vector<reference> mine;
  for (int round = 0; round < rounds; ++round) {
    auto& cell = shared[random() % cells];
    if (random() % 2 == 0) {
      if (mine.empty())
        mine.push_back(guarded::make(8 + random() % 20'000));
      const std::array ids{mine.back().id()};
      const auto message = reference::create_with_shares(kind, 0, ids);
      memory::keep_alive(message);
      const auto old = cell.exchange(message.id());
      mine.pop_back();
      memory::forget(old);
    } else if (const auto where = cell.exchange(0); where != 0) {
      {
        const auto message = reference::attach(where, kind);
        mine.push_back(reference::attach(message.shared_ids().front(), kind));
      }
      memory::forget(where);
      guarded::check(mine.back());
    }
  }
}

/// Counts shares of a few objects that others count shares of, too.
void share(const std::vector<memory::object_id>& ids, unsigned start,
           int rounds) {
  random_numbers random{start};
  std::vector<reference> held;
  for (const auto id : ids)
    held.push_back(reference::attach(id, kind));
  std::vector<reference> mine(8);
  for (int round = 0; round < rounds; ++round) {
    std::vector<memory::object_id> some;
    for (auto count = 1 + random() % 4; count > 0; --count)
      some.push_back(ids[random() % ids.size()]);
    mine[random() % mine.size()] = reference::create_with_shares(kind, 5, some);
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
                     // The tables of handles have grown by at most a page or
                     // two.
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

TEST_CASE("processes killed at random while they count shares of the same "
          "objects leave no share, and end none that is another's") {
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
        std::vector<reference> held;
        std::vector<memory::object_id> ids;
        for (int count = 0; count < 3; ++count) {
          held.push_back(guarded::make(5000));
          ids.push_back(held.back().id());
        }
        auto ours = reference::create_with_shares(kind, 0, ids);
        std::array<pid_t, workers> pids{};
        const auto begin = [&](std::uint32_t slot) {
          const auto seed_of_one = static_cast<unsigned>(random());
          pids[slot - 1] = fork_into_slot(slot, [&ids, seed_of_one] {
            share(ids, seed_of_one, 1 << 30);
          });
        };
        for (std::uint32_t slot = 1; slot <= workers; ++slot)
          begin(slot);
        for (int kill = 0; kill < kills; ++kill) {
          const auto slot = 1 + static_cast<std::uint32_t>(random() % workers);
          // Some are killed at their very beginning.
          for (auto pause = random() % 2000; pause > 0; --pause)
            static_cast<void>(ours.shared_ids());
          ::kill(pids[slot - 1], SIGKILL);
          expect(confirm(pids[slot - 1], slot) == SIGKILL, "a worker failed");
          begin(slot);
        }
        for (std::uint32_t slot = 1; slot <= workers; ++slot) {
          ::kill(pids[slot - 1], SIGKILL);
          confirm(pids[slot - 1], slot);
        }
        for (const auto& each : held) {
          guarded::check(each);
          expect(each.shares() == 1, std::to_string(each.shares()) + " shares");
        }
        held.clear();
        ours.reset();
        expect_nothing_left(base, "after all deaths");
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
          troupe::test::sleep_at_random(random,
                                        std::chrono::microseconds{2000});
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
