// SPDX-License-Identifier: BSL-1.0
// Dies at each named point of the memory layer, once as an ordinary process and
// once as the one that cleans up after another.
#include <troupe/memory/reclaim.hpp>
#include <troupe/memory/reference.hpp>

#include "scratch_run.hpp"

#include <troupe/os/crash_point.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using memory::object_kind;
using memory::reference;
using memory::run_memory;

namespace {

constexpr auto kind = object_kind::user;

constexpr std::array points{
  "memory.handles.taken",     "memory.head.noted",
  "memory.head.cleared",      "memory.page.noted",
  "memory.page.busy",         "memory.page.free",
  "memory.extent.noted",      "memory.extent.first",
  "memory.extent.taken",      "memory.create.noted",
  "memory.create.entered",    "memory.create.described",
  "memory.create.accounted",  "memory.create.unpublished",
  "memory.create.published",  "memory.attach.noted",
  "memory.attach.marked",     "memory.drop.cleared",
  "memory.forget.counted",    "memory.reclaim.decided",
  "memory.reclaim.striking",  "memory.reclaim.struck",
  "memory.reclaim.silent",    "memory.reclaim.half_punched",
  "memory.reclaim.punched",   "memory.extent.freed",
  "memory.head.free",         "memory.page.shut",
  "memory.page.counted",      "memory.page.listed",
  "memory.page.opened",       "memory.page.punched",
  "memory.keep.unlisted",     "memory.keep.listed",
  "memory.warm.unlisted",     "memory.warm.taken",
  "memory.share.noted",       "memory.share.counted",
  "memory.share.known",       "memory.share.written",
  "memory.share.ended",       "memory.side.noted",
  "memory.side.described",    "memory.side.published",
  "memory.side.decided",      "memory.side.first_ended",
  "memory.side.second_ended",
};

constexpr std::array cleaners_points{
  "memory.release.cleared",
  "memory.release.reclaimed",
  "memory.reclaim.decided",
  "memory.reclaim.striking",
  "memory.reclaim.struck",
  "memory.reclaim.silent",
  "memory.reclaim.half_punched",
  "memory.reclaim.punched",
  "memory.extent.freed",
  "memory.head.free",
  "memory.page.noted",
  "memory.page.busy",
  "memory.page.shut",
  "memory.page.counted",
  "memory.page.punched",
  "memory.warm.settling",
  "memory.handles.punched",
  "memory.side.decided",
  "memory.side.first_ended",
  "memory.side.second_ended",
};

/// Makes objects of two sides, of which either ends first.
void make_and_drop_sides() {
  for (const bool first_goes : {true, false, true, false}) {
    auto [first, second] = reference::create_two_sided(kind, 16);
    (first_goes ? first : second).reset();
    const auto& left = first_goes ? second : first;
    static_cast<void>(reference::attach(left.id(), kind));
  }
}

/// Passes every point: creates, attaches, drops, keeps alive and forgets.
void do_everything(memory::object_id others) {
  {
    const auto shared = reference::attach(others, kind);
    const auto mine = reference::create(kind, 20'000);
    std::ranges::fill(mine.bytes(), std::byte{7});
    // Shares of both, of which one ends with the object that has them.
    const std::array ids{shared.id(), mine.id()};
    static_cast<void>(reference::create_with_shares(kind, 10, ids));
  }
  {
    // Whoever goes on after a death finds what `place` names.
    const auto shared = reference::attach(others, kind);
    auto& place = *shared.as<std::atomic<memory::object_id>>();
    memory::entrust(place, reference::create(kind, 20'000));
    memory::forget_at(place);
  }
  make_and_drop_sides();
  // Takes what was kept, and then all that is kept is given back. Large ones
  // are not kept; so many that pages of heads are opened and closed.
  static_cast<void>(reference::create(kind, 20'000));
  std::vector<reference> many;
  for (int count = 0; count < 40; ++count)
    many.push_back(reference::create(kind, count % 2 == 0 ? 10 : 3 << 20));
  many.clear();
  memory::warm_memory::give_back_own();
}

} // namespace

TEST_CASE("a process that dies at any point leaves nothing and harms nobody") {
  for (const std::string point : points)
    for (const unsigned countdown : {1U, 2U}) {
      // These are passed once only.
      if (countdown == 2
          && (point.starts_with("memory.attach")
              || point.starts_with("memory.forget")
              || point.starts_with("memory.handles")
              || point == "memory.warm.taken"))
        continue;
      CAPTURE(point);
      CAPTURE(countdown);
      CHECK(
        in_new_run(
          {},
          [&] {
            warm_up(1);
            const auto base = bytes_of_objects();
            auto ours = reference::create(kind, 20'000);
            ours.data()[19'999] = std::byte{5};
            const auto pid = fork_into_slot(1, [&] {
              os::arm_crash_point(point, countdown);
              do_everything(ours.id());
            });
            expect(confirm(pid, 1) == SIGKILL, "it was not killed");
            expect(memory::is_holder(run_memory::current().head_of(ours.id()),
                                     0),
                   "we hold nothing any more");
            expect(!memory::is_holder(run_memory::current().head_of(ours.id()),
                                      1),
                   "the dead holds something");
            expect(ours.data()[19'999] == std::byte{5}, "our bytes changed");
            expect(ours.shares() == 0, "a share is counted");
            memory::forget_at(*ours.as<std::atomic<memory::object_id>>());
            ours.reset();
            expect_nothing_left(base, "after a death at " + point);
            // The slot and its tables serve the next process.
            const auto next = fork_into_slot(1, [] {
              const auto own = reference::create(kind, 8);
              do_everything(own.id());
            });
            expect(confirm(next, 1) == 0, "the next process");
            expect_nothing_left(base, "after the next process");
          })
        == "");
    }
}

TEST_CASE(
  "a page of heads whose hints are wrong stays while a head is used, and "
  "goes then") {
  for (const std::string point : {"memory.page.reopened", ""}) {
    CAPTURE(point);
    CHECK(in_new_run(
            {},
            [&] {
              warm_up(1);
              const auto base = bytes_of_objects();
              const auto pid = fork_into_slot(1, [&] {
                const auto held = reference::create(kind, 100);
                auto& memory = run_memory::current();
                constexpr auto heads = memory::head_page::heads;
                memory.page(memory.index_of(memory.head_of(held.id())) / heads)
                  .word.fetch_or((1U << heads) - 1);
                os::arm_crash_point(point);
                memory::warm_memory::give_back_own();
                expect(reference::attach(held.id(), kind) == held,
                       "it is gone");
                std::ranges::fill(held.bytes(), std::byte{7});
                expect(reference::create(kind, 100) != held, "given out twice");
              });
              expect(confirm(pid, 1) == (point.empty() ? 0 : SIGKILL),
                     "the process of slot 1");
              expect_nothing_left(base, "after it");
            })
          == "");
  }
}

TEST_CASE("a process that looks at an object too late, and dies, leaves no "
          "page") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(1);
                     const auto base = bytes_of_objects();
                     const auto gone = reference::create(kind, 1).id();
                     memory::warm_memory::give_back_own();
                     const auto pid = fork_into_slot(1, [gone] {
                       const memory::own_note note{"look", gone};
                       auto& memory = run_memory::current();
                       expect(memory.head_of(gone)->life.load() == 0,
                              "the page is in use");
                       ::raise(SIGKILL);
                     });
                     expect(confirm(pid, 1) == SIGKILL, "it was not killed");
                     expect_nothing_left(base, "after it");
                   })
        == "");
}

TEST_CASE("a process that dies before it forgets an object leaves it") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(1);
                     const auto base = bytes_of_objects();
                     auto ours = reference::create(kind, 20'000);
                     const auto sent = ours.id();
                     memory::keep_alive(ours);
                     ours.reset();
                     const auto pid = fork_into_slot(1, [&] {
                       os::arm_crash_point("memory.forget.noted");
                       memory::forget(sent);
                     });
                     expect(confirm(pid, 1) == SIGKILL, "it was not killed");
                     expect(
                       run_memory::current().head_of(sent)->shares_now().count()
                         == 1,
                       "it is forgotten");
                     memory::forget(sent);
                     expect_nothing_left(base, "after it was forgotten");
                   })
        == "");
}

TEST_CASE(
  "a share whose counter dies is counted once or not at all, also where "
  "others count shares before the death is known") {
  for (const std::string point :
       {"memory.share.noted", "memory.share.counted", "memory.share.known",
        "memory.share.written", "memory.share.ended"})
    for (const unsigned countdown : {1U, 2U, 3U})
      for (const bool others : {false, true}) {
        if (point == "memory.share.ended" && countdown == 3)
          continue;
        CAPTURE(point);
        CAPTURE(countdown);
        CAPTURE(others);
        CHECK(
          in_new_run(
            {},
            [&] {
              warm_up(1);
              const auto base = bytes_of_objects();
              auto ours = reference::create(kind, 20'000);
              const auto dead = fork_into_slot(1, [&] {
                const auto held = reference::attach(ours.id(), kind);
                const auto only_here = reference::create(kind, 200);
                os::arm_crash_point(point, countdown);
                const std::array ids{held.id(), only_here.id()};
                static_cast<void>(reference::create_with_shares(kind, 10, ids));
              });
              int status = 0;
              ::waitpid(dead, &status, 0);
              expect(status == SIGKILL, "it was not killed");
              const std::array ids{ours.id(), ours.id()};
              reference before;
              if (others) {
                before = reference::create_with_shares(kind, 300, ids);
                static_cast<void>(reference::create_with_shares(kind, 0, ids));
              }
              memory::release_holdings(1);
              expect(ours.shares() == (others ? 2 : 0),
                     std::to_string(ours.shares()) + " shares");
              before.reset();
              expect(ours.shares() == 0, "shares stay");
              ours.reset();
              expect_nothing_left(base, "after a death at " + point);
            })
          == "");
      }
}

TEST_CASE(
  "whoever finishes a dead process's share, and dies, is followed by one "
  "that goes on") {
  for (const std::string first : {"memory.share.noted", "memory.share.counted",
                                  "memory.share.known", "memory.share.written"})
    for (const unsigned countdown : {2U, 3U, 4U})
      for (const std::string second :
           {"memory.share.settling", "memory.share.counted",
            "memory.share.known", "memory.share.written", "memory.share.ended",
            "memory.reclaim.decided"}) {
        CAPTURE(first);
        CAPTURE(countdown);
        CAPTURE(second);
        CHECK(in_new_run({},
                         [&] {
                           warm_up(2);
                           const auto base = bytes_of_objects();
                           auto ours = reference::create(kind, 20'000);
                           const auto dead = fork_into_slot(1, [&] {
                             auto only_there = reference::create(kind, 200);
                             const std::array ids{ours.id(), only_there.id()};
                             const auto held = reference::attach(ours.id(),
                                                                 kind);
                             os::arm_crash_point(first, countdown);
                             auto carrier
                               = reference::create_with_shares(kind, 10, ids);
                             only_there.reset();
                             carrier.reset();
                           });
                           int status = 0;
                           ::waitpid(dead, &status, 0);
                           expect(status == SIGKILL, "it was not killed");
                           const auto cleaner = fork_into_slot(2, [&] {
                             os::arm_crash_point(second);
                             memory::release_holdings(1);
                           });
                           ::waitpid(cleaner, &status, 0);
                           // Not every change is one that is still to be
                           // counted.
                           expect(status == SIGKILL || status == 0,
                                  "the cleaner failed");
                           memory::release_holdings(1);
                           memory::release_holdings(2);
                           expect(ours.shares() == 0, "shares stay");
                           ours.reset();
                           expect_nothing_left(base, "after deaths at " + first
                                                       + " and " + second);
                         })
              == "");
      }
}

TEST_CASE("a process that dies while it cleans up after another is followed "
          "by one that goes on") {
  for (const std::string point : cleaners_points) {
    CAPTURE(point);
    CHECK(
      in_new_run(
        {},
        [&] {
          warm_up(2);
          const auto base = bytes_of_objects();
          auto ours = reference::create(kind, 20'000);
          const auto dead = fork_into_slot(1, [&] {
            std::vector<reference> held(40);
            for (auto& each : held) {
              each = reference::create(kind, 20'000);
              std::ranges::fill(each.bytes(), std::byte{7});
            }
            // Both sides of two.
            for (int count = 0; count < 2; ++count) {
              auto [first, second] = reference::create_two_sided(kind, 16);
              held.push_back(std::move(first));
              held.push_back(std::move(second));
            }
            // Two are kept for later, and a page of heads is empty.
            held[1] = reference::attach(ours.id(), kind);
            held.erase(held.begin() + 2);
            const auto many = held.size();
            for (int count = 0; count < 30; ++count)
              held.push_back(reference::create(kind, 10));
            held.resize(many);
            ::raise(SIGKILL);
          });
          int status = 0;
          ::waitpid(dead, &status, 0);
          const auto cleaner = fork_into_slot(2, [&] {
            os::arm_crash_point(point,
                                point.starts_with("memory.handles") ? 1 : 2);
            memory::release_holdings(1);
          });
          ::waitpid(cleaner, &status, 0);
          expect(status == SIGKILL, "the cleaner was not killed");
          memory::release_holdings(1);
          memory::release_holdings(2);
          expect(memory::is_holder(run_memory::current().head_of(ours.id()), 0),
                 "we hold nothing any more");
          ours.reset();
          expect_nothing_left(base, "after a second death at " + point);
        })
      == "");
  }
}
