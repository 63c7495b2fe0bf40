// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/reference.hpp>

#include "scratch_run.hpp"

#include <troupe/base/error.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/sleeping.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <random>
#include <set>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using memory::object_id;
using memory::object_kind;
using memory::reference;
using memory::run_memory;

namespace {

constexpr auto kind = object_kind::user;
constexpr auto other_kind
  = static_cast<object_kind>(static_cast<std::uint32_t>(kind) + 1);

template <class Error, class Work>
std::optional<std::string> thrown(Work work) {
  try {
    work();
  } catch (const Error& failure) {
    return failure.what();
  }
  return std::nullopt;
}

/// Objects whose disposal and holders' deaths are counted, in shared memory.
struct counters {
  std::atomic<int> disposed{0};
  std::atomic<int> died{0};
  std::atomic<int> last_dead{0};
  /// 1 for each end of a first side, 10 for a second.
  std::atomic<int> sides{0};
  std::atomic<bool> die_in_dispose{false};
};

counters* counted = nullptr;

const bool registered = memory::register_kind(
  other_kind, {[](std::byte*, std::uint64_t) noexcept {
                 ++counted->disposed;
                 if (counted->die_in_dispose.exchange(false))
                   ::raise(SIGKILL);
               },
               [](std::byte*, std::uint64_t, std::uint32_t slot) noexcept {
                 ++counted->died;
                 counted->last_dead = static_cast<int>(slot);
               },
               nullptr, 0,
               [](std::byte*, bool is_second) noexcept {
                 counted->sides += is_second ? 10 : 1;
               }});

} // namespace

TEST_CASE("an object is all zero, aligned and of the size asked for") {
  CHECK(in_new_run(
          {},
          [] {
            for (const std::uint64_t size :
                 {0ULL, 1ULL, 4096ULL, 100'000ULL, 1ULL << 30}) {
              const auto made = reference::create(kind, size);
              expect(made.size() == size, "size");
              expect(reinterpret_cast<std::uintptr_t>(made.data()) % 128 == 0,
                     "alignment");
              const auto bytes
                = made.bytes().first(std::min<std::uint64_t>(size, 100'000));
              expect(std::ranges::all_of(bytes,
                                         [](std::byte byte) {
                                           return byte == std::byte{};
                                         }),
                     "not zero");
            }
          })
        == "");
}

TEST_CASE("the memory of an object is given back with its last reference") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(0);
                     const auto base = bytes_of_objects();
                     {
                       const auto made = reference::create(kind, 1 << 20);
                       std::ranges::fill(made.bytes(), std::byte{1});
                       const auto copy = made;
                       expect(bytes_of_objects() >= base + (1 << 20),
                              "the pages are not there");
                       expect(run_memory::current().reserved_bytes() >= 1 << 20,
                              "not reserved");
                     }
                     expect_nothing_left(base, "after the last reference");
                   })
        == "");
}

TEST_CASE("a large object takes memory only where it is touched") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(0);
                     const auto base = bytes_of_objects();
                     const auto made = reference::create(kind, 1ULL << 30);
                     expect(bytes_of_objects() <= base + 4096,
                            "touched more than its first page");
                     made.data()[1 << 29] = std::byte{1};
                     expect(bytes_of_objects() <= base + 8192,
                            "touched more than one page");
                   })
        == "");
}

TEST_CASE("an address comes back, an id never does") {
  CHECK(in_new_run({},
                   [] {
                     std::set<object_id> ids;
                     std::set<std::byte*> places;
                     for (int round = 0; round < 100'000; ++round) {
                       const auto made = reference::create(kind, 100);
                       expect(ids.insert(made.id()).second, "an id came back");
                       places.insert(made.data());
                     }
                     expect(places.size() < 100, "addresses are used up");
                   })
        == "");
}

TEST_CASE("ten thousand objects of 200 MiB need no more addresses than one") {
  CHECK(in_new_run({.address_space = 1ULL << 30},
                   [] {
                     for (int round = 0; round < 10'000; ++round) {
                       const auto made = reference::create(kind, 200 << 20);
                       made.data()[0] = std::byte{1};
                     }
                     // And of all sizes, a few of which live.
                     std::vector<reference> live(8);
                     std::minstd_rand random{1};
                     for (int round = 0; round < 100'000; ++round)
                       live[random() % live.size()] = reference::create(
                         kind, random() % (1ULL << (random() % 27)));
                   })
        == "");
}

TEST_CASE("a stale handle and a handle of anything are refused, for nothing") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(0);
                     const auto base = bytes_of_objects();
                     const auto dead = reference::create(kind, 1).id();
                     // Made and dropped, never made, and none of all.
                     constexpr auto generation = object_id{1} << 32;
                     for (const object_id where :
                          {dead, object_id{0}, object_id{8}, object_id{4096},
                           dead + 1, dead + generation, generation | 16,
                           generation | 1 << 20, object_id{1} << 63,
                           ~object_id{0}, ~object_id{0} - 4095}) {
                       const auto why = thrown<stale_handle>([where] {
                         static_cast<void>(reference::attach(where, kind));
                       });
                       expect(why.has_value(),
                              "attached " + std::to_string(where));
                       expect(why->find(std::to_string(where)) != why->npos,
                              "the offset is not named: " + *why);
                       memory::forget(where);
                     }
                     expect_nothing_left(base, "after refused handles");
                   })
        == "");
}

TEST_CASE("a handle of one kind is refused where another is expected") {
  CHECK(
    in_new_run({},
               [] {
                 const auto made = reference::create(kind, 1);
                 expect(thrown<stale_handle>([&] {
                          static_cast<void>(
                            reference::attach(made.id(), object_kind::ring));
                        }).has_value(),
                        "in the process that holds it");
                 const auto pid = fork_into_slot(1, [&] {
                   expect(thrown<stale_handle>([&] {
                            static_cast<void>(
                              reference::attach(made.id(), object_kind::ring));
                          }).has_value(),
                          "in another process");
                 });
                 expect(confirm(pid, 1) == 0, "the other process");
               })
    == "");
}

TEST_CASE("an object lives until the last process that holds it lets go") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(2);
                     const auto base = bytes_of_objects();
                     auto made = reference::create(kind, 8);
                     auto& word = *made.as<std::atomic<int>>();
                     const auto where = made.id();
                     const auto child = [where] {
                       const auto mine = reference::attach(where, kind);
                       auto& shared = *mine.as<std::atomic<int>>();
                       ++shared;
                       troupe::test::await([&] { return shared.load() >= 3; });
                     };
                     const auto first = fork_into_slot(1, child);
                     const auto second = fork_into_slot(2, child);
                     troupe::test::await([&] { return word.load() >= 2; });
                     made.reset();
                     auto again = reference::attach(where, kind);
                     again.as<std::atomic<int>>()->store(3);
                     again.reset();
                     expect(confirm(first, 1) == 0, "first child");
                     expect(confirm(second, 2) == 0, "second child");
                     expect(thrown<stale_handle>([&] {
                              static_cast<void>(reference::attach(where, kind));
                            }).has_value(),
                            "it lives on");
                     expect_nothing_left(base, "after the last holder");
                   })
        == "");
}

TEST_CASE("a dead process holds nothing") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(1);
                     const auto base = bytes_of_objects();
                     auto board = reference::create(kind, 4096);
                     auto* made = board.as<std::atomic<object_id>>();
                     const auto pid = fork_into_slot(1, [made] {
                       std::vector<reference> many;
                       for (int count = 0; count < 2000; ++count)
                         many.push_back(reference::create(kind, 5000));
                       *made = many.back().id();
                       troupe::test::sleep_for_ever();
                     });
                     troupe::test::await([&] { return *made != 0; });
                     const auto where = made->load();
                     const auto kept = reference::attach(where, kind);
                     ::kill(pid, SIGKILL);
                     confirm(pid, 1);
                     // What another holds stays.
                     expect(reference::attach(where, kind) == kept,
                            "lost what we hold");
                     memory::release_holdings(1);
                     expect(reference::attach(where, kind) == kept,
                            "not idempotent");
                     const_cast<reference&>(kept).reset();
                     board.reset();
                     expect_nothing_left(base, "after a death");
                   })
        == "");
}

TEST_CASE("an object lives while another has a share of it, or a place names "
          "it") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(1);
                     const auto base = bytes_of_objects();
                     auto made = reference::create(kind, 1);
                     const std::vector ids(20, made.id());
                     auto few = reference::create_with_shares(
                       kind, 3, std::span{ids}.first(2));
                     auto many = reference::create_with_shares(kind, 9000, ids);
                     expect(made.shares() == 22, "the shares");
                     made.reset();
                     expect(few.shared_ids().size() == 2
                              && few.behind_shares().size() == 3
                              && many.behind_shares().size() == 9000,
                            "what stands where");
                     // Read by another process, which lets go at once.
                     std::atomic<memory::object_id> place{0};
                     memory::entrust(place, many);
                     many.reset();
                     few.reset();
                     const auto pid = fork_into_slot(1, [&] {
                       const auto held = reference::attach(place.load(), kind);
                       static_cast<void>(
                         reference::attach(held.shared_ids()[19], kind));
                     });
                     expect(confirm(pid, 1) == 0, "use in another process");
                     memory::forget_at(place);
                     expect(place.load() == 0, "the place names it");
                     memory::forget_at(place);
                     expect_nothing_left(base, "after the last share");
                   })
        == "");
}

TEST_CASE("a kind is told of its end, and again if its reclaimer is killed") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(1);
                     auto board = reference::create(kind, sizeof(counters));
                     counted = new (board.data()) counters;
                     const auto base = bytes_of_objects();
                     static_cast<void>(reference::create(other_kind, 1));
                     expect(counted->disposed == 1, "not disposed once");
                     counted->die_in_dispose = true;
                     const auto pid = fork_into_slot(1, [] {
                       static_cast<void>(
                         reference::create(other_kind, 100'000));
                     });
                     expect(confirm(pid, 1) == SIGKILL, "it was not killed");
                     expect(counted->disposed == 3, "not disposed again");
                     expect(counted->died == 0, "it had let go before it died");
                     expect(bytes_of_objects() == base, "memory is left");
                   })
        == "");
}

TEST_CASE("each side of an object of two ends by itself, and the object with "
          "the later one") {
  CHECK(in_new_run(
          {},
          [] {
            warm_up(1);
            auto board = reference::create(kind, sizeof(counters));
            counted = new (board.data()) counters;
            const auto base = bytes_of_objects();
            for (const bool first_goes : {true, false}) {
              const auto ended_before = counted->sides.load();
              const auto disposed_before = counted->disposed.load();
              auto [first, second] = reference::create_two_sided(other_kind,
                                                                 120);
              expect(first.id() != second.id() && first.data() == second.data(),
                     "not two sides of one object");
              auto& early = first_goes ? first : second;
              auto& late = first_goes ? second : first;
              const auto gone = early.id();
              // Held by a process, and by a message that is held by one.
              const auto side = late.id();
              const auto pid = fork_into_slot(1, [side] {
                const auto mine = reference::attach(side, other_kind);
                ::raise(SIGSTOP);
                ::raise(SIGKILL);
              });
              int status = 0;
              ::waitpid(pid, &status, WUNTRACED);
              early.reset();
              expect(counted->sides - ended_before == (first_goes ? 1 : 10),
                     "that side has not ended");
              expect(thrown<stale_handle>([&] {
                       static_cast<void>(reference::attach(gone, other_kind));
                     }).has_value(),
                     "a side that has ended is attached");
              expect(memory::kind_of(gone) == object_kind::none
                       && memory::kind_of(side) == other_kind,
                     "the other side has ended");
              late.reset();
              expect(counted->disposed == disposed_before, "it has ended");
              late = reference::attach(side, other_kind);
              ::kill(pid, SIGCONT);
              confirm(pid, 1);
              expect(counted->disposed == disposed_before, "it has ended");
              auto carrier = reference::create_with_shares(kind, 8,
                                                           std::array{side});
              late.reset();
              expect(memory::kind_of(side) == other_kind, "a share is nothing");
              carrier.reset();
              // At its end it is told of the first side again.
              expect(counted->disposed == disposed_before + 1,
                     "it was disposed of not once");
              memory::warm_memory::give_back_own();
              expect(bytes_of_objects() == base, "memory is left");
            }
          })
        == "");
}

TEST_CASE("a side that a process of any row holds lives, and ends with it") {
  CHECK(in_new_run(
          {.address_space = 1ULL << 36},
          [] {
            // The last with a bit in the head, and the first without, of each.
            for (const std::uint32_t row : {126U, 127U, 318U, 319U, 2000U}) {
              auto [first, second] = reference::create_two_sided(kind, 8);
              const std::array ids{first.id(), second.id()};
              const auto pid = fork_into_slot(row, [&] {
                const auto mine = reference::attach(ids[0], kind);
                const auto other = reference::attach(ids[1], kind);
                ::raise(SIGSTOP);
                ::raise(SIGKILL);
              });
              int status = 0;
              ::waitpid(pid, &status, WUNTRACED);
              const auto when = " of row " + std::to_string(row);
              first.reset();
              second.reset();
              for (const auto id : ids)
                expect(memory::kind_of(id) == kind, "lost the side" + when);
              ::kill(pid, SIGCONT);
              confirm(pid, row);
              for (const auto id : ids)
                expect(memory::kind_of(id) == object_kind::none,
                       "the side stays" + when);
            }
            memory::warm_memory::give_back_own();
            expect(run_memory::current().reserved_bytes() == 0, "reserved");
          })
        == "");
}

TEST_CASE("a kind is told of the holder that died, and only of that") {
  CHECK(in_new_run(
          {},
          [] {
            warm_up(2);
            auto board = reference::create(kind, sizeof(counters));
            counted = new (board.data()) counters;
            const auto made = reference::create(other_kind, 1);
            const auto where = made.id();
            confirm(fork_into_slot(1,
                                   [where] {
                                     static_cast<void>(
                                       reference::attach(where, other_kind));
                                   }),
                    1);
            expect(counted->died == 0, "a process that let go");
            confirm(fork_into_slot(2,
                                   [where] {
                                     const auto mine
                                       = reference::attach(where, other_kind);
                                     ::raise(SIGKILL);
                                   }),
                    2);
            expect(counted->died == 1, "a process that was killed");
            expect(counted->last_dead == 2, "another process");
            expect(counted->disposed == 0, "it lives on");
          })
        == "");
}

TEST_CASE("a forked child does not let go of what its parent holds") {
  CHECK(in_new_run({},
                   [] {
                     const auto made = reference::create(kind, 1);
                     const auto pid = ::fork();
                     if (pid == 0) {
                       const_cast<reference&>(made).reset();
                       ::_exit(0);
                     }
                     int status = 0;
                     ::waitpid(pid, &status, 0);
                     expect(status == 0, "the child");
                     expect(run_memory::current().find_object(made.id(), kind)
                              != nullptr,
                            "the child freed it");
                   })
        == "");
}
