// SPDX-License-Identifier: BSL-1.0
// Dies at each named point of the memory layer, once as an ordinary process and
// once as the one that cleans up after another.
#include <troupe/memory/burial.hpp>
#include <troupe/memory/reference.hpp>

#include "scratch_run.hpp"

#include <troupe/os/crash_point.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
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
  "memory.handles.taken",    "memory.head.noted",
  "memory.head.cleared",     "memory.page.noted",
  "memory.page.busy",        "memory.page.free",
  "memory.extent.noted",     "memory.extent.first",
  "memory.extent.taken",     "memory.create.noted",
  "memory.create.entered",   "memory.create.described",
  "memory.create.accounted", "memory.create.unpublished",
  "memory.create.published", "memory.attach.noted",
  "memory.attach.marked",    "memory.drop.cleared",
  "memory.forget.counted",   "memory.bury.decided",
  "memory.bury.striking",    "memory.bury.struck",
  "memory.bury.silent",      "memory.bury.half_punched",
  "memory.bury.punched",     "memory.extent.freed",
  "memory.head.free",        "memory.page.shut",
  "memory.page.counted",     "memory.page.listed",
  "memory.page.opened",      "memory.page.punched",
  "memory.keep.unlisted",    "memory.keep.listed",
  "memory.warm.unlisted",    "memory.warm.taken",
};

constexpr std::array cleaners_points{
  "memory.release.cleared",   "memory.release.buried",  "memory.bury.decided",
  "memory.bury.striking",     "memory.bury.struck",     "memory.bury.silent",
  "memory.bury.half_punched", "memory.bury.punched",    "memory.extent.freed",
  "memory.head.free",         "memory.page.noted",      "memory.page.busy",
  "memory.page.shut",         "memory.page.counted",    "memory.page.punched",
  "memory.warm.settling",     "memory.handles.punched",
};

/// Passes every point: creates, attaches, drops, sends and forgets. It is not
/// killed while a message of its own is on its way: that, as documented, leaves
/// the object until the run ends.
void do_everything(memory::object_id others) {
  {
    const auto shared = reference::attach(others, kind);
    const auto mine = reference::create(kind, 20'000);
    std::ranges::fill(mine.bytes(), std::byte{7});
  }
  auto mine = reference::create(kind, 20'000);
  const auto sent = memory::send(mine);
  mine.reset();
  memory::forget(sent);
  // Takes what was kept, and then all that is kept is given back. Large ones are
  // not kept; so many that pages of heads are opened and closed.
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
            ours.reset();
            expect_nothing_left(base, "after a death at " + point);
            // The slot and its tables serve the next process.
            const auto next = fork_into_slot(1, [] {
              const auto own = reference::create(kind, 1);
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

TEST_CASE("a process that dies before it gives a message up leaves it on its "
          "way") {
  CHECK(in_new_run(
          {},
          [] {
            warm_up(1);
            const auto base = bytes_of_objects();
            auto ours = reference::create(kind, 20'000);
            const auto sent = memory::send(ours);
            ours.reset();
            const auto pid = fork_into_slot(1, [&] {
              os::arm_crash_point("memory.forget.noted");
              memory::forget(sent);
            });
            expect(confirm(pid, 1) == SIGKILL, "it was not killed");
            expect(run_memory::current().head_of(sent)->in_flight.load() == 1,
                   "the message is gone");
            memory::forget(sent);
            expect_nothing_left(base, "after the message was given up");
          })
        == "");
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
            // Two are kept for later, and a page of heads is empty.
            held[1] = reference::attach(ours.id(), kind);
            held.resize(39);
            for (int count = 0; count < 30; ++count)
              held.push_back(reference::create(kind, 10));
            held.resize(39);
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
