// SPDX-License-Identifier: BSL-1.0
#include <framework/memory/scratch_run.hpp>

#include <troupe/base/error.hpp>
#include <troupe/mailbox/inbox.hpp>
#include <troupe/os/crash_point.hpp>

#include <support/eventually.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

using troupe::mailbox::inbox;
using troupe::mailbox::make_ring;
using troupe::mailbox::ring_head;
using troupe::memory::object_kind;
using troupe::memory::reference;
using troupe::memory::slot_id;
using troupe::test::expect;

constexpr std::uint64_t small = 4096;

/// Announces rings to `reader` in `to`, each with a number, in a process that
/// goes on to live.
class writer {
public:
  writer(inbox& to, slot_id reader, const std::vector<std::uint64_t>& numbers) {
    pid_ = troupe::test::fork_into_slot(next_, [&] {
      std::vector<reference> rings;
      for (const auto each : numbers) {
        rings.push_back(make_ring(reader, small, each));
        to.announce(rings.back());
      }
      ::raise(SIGSTOP);
    });
    int status = 0;
    ::waitpid(pid_, &status, WUNTRACED);
    slot_ = next_++;
  }
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;
  ~writer() {
    ::kill(pid_, SIGKILL);
    troupe::test::confirm(pid_, slot_);
  }

private:
  static inline std::uint32_t next_ = 1;
  pid_t pid_ = 0;
  std::uint32_t slot_ = 0;
};

std::string numbers_of(const std::vector<reference>& rings) {
  std::string result;
  for (const auto& each : rings)
    result += std::to_string(each.as<ring_head>()->types) + " ";
  return result;
}

slot_id self() {
  return troupe::memory::run_memory::current().self();
}

} // namespace

TEST_CASE("a ring to another process hides no other") {
  CHECK(troupe::test::in_new_run(
          {},
          [] {
            auto own = inbox::make(0, "");
            const writer first{own, self(), {1, 2}};
            const writer stray{own, {9, 9}, {3}};
            const writer last{own, self(), {4}};
            const auto found = numbers_of(own.take_announced());
            expect(found == "1 2 4 ", "there are " + found);
            expect(!own.has_announced(), "there are more");
          })
        == "");
}

TEST_CASE("rings announced while the reader can hold no more objects are taken "
          "later, all of them") {
  CHECK(
    troupe::test::in_new_run(
      {.handles = 512},
      [] {
        auto own = inbox::make(0, "");
        std::vector<reference> fill;
        try {
          for (;;)
            fill.push_back(reference::create(object_kind::user, 1));
        } catch (const troupe::limit_reached&) {
        }
        const writer first{own, self(), {1, 2}};
        expect(own.has_announced(), "nothing is announced");
        expect(own.take_announced().empty(), "it has room");
        expect(!own.retry().is_never(), "it will not try again");
        // Only after a while, so that its reader may sleep meanwhile.
        expect(troupe::test::eventually([&] { return own.has_announced(); }),
               "they are forgotten");
        fill.pop_back();
        const writer second{own, self(), {3}};
        auto found = own.take_announced();
        expect(numbers_of(found) == "3 ",
               "of the first there are " + numbers_of(found));
        fill.clear();
        expect(troupe::test::eventually([&] { return own.has_announced(); }),
               "they are forgotten");
        found = own.take_announced();
        expect(numbers_of(found) == "1 2 ",
               "of the rest there are " + numbers_of(found));
        expect(own.retry().is_never(), "it tries again for nothing");
      })
    == "");
}

TEST_CASE(
  "a writer killed while it announces a ring has announced it, or leaves "
  "nothing of it") {
  for (const std::string point :
       {"transport.announce.kept", "transport.announce.done"})
    for (const bool others : {false, true})
      for (const bool taken : {false, true}) {
        CAPTURE(point);
        CAPTURE(others);
        CAPTURE(taken);
        CHECK(
          troupe::test::in_new_run(
            {},
            [&] {
              auto& memory = troupe::memory::run_memory::current();
              auto own = inbox::make(0, "");
              const auto base = memory.reserved_bytes();
              const auto reader = self();
              const auto dead = troupe::test::fork_into_slot(9, [&] {
                const auto ring = make_ring(reader, small, 5);
                troupe::os::arm_crash_point(point);
                own.announce(ring);
              });
              int status = 0;
              ::waitpid(dead, &status, 0);
              expect(status == SIGKILL, "it was not killed");
              std::string found;
              {
                // Before the death is known to anybody.
                std::optional<writer> second;
                if (others)
                  second.emplace(own, self(), std::vector<std::uint64_t>{6});
                if (taken)
                  found = numbers_of(own.take_announced());
                troupe::memory::release_holdings(9);
                found += numbers_of(own.take_announced());
              }
              const std::string announced = point.ends_with("done") ? "5 " : "";
              expect(found == announced + (others ? "6 " : ""),
                     "there are " + found);
              troupe::memory::warm_memory::give_back_own();
              expect(memory.reserved_bytes() == base,
                     std::to_string(memory.reserved_bytes() - base)
                       + " bytes are left");
            })
          == "");
      }
}

TEST_CASE("a reader killed while it takes what was announced, or gives up its "
          "inbox, leaves nothing") {
  for (const std::string point :
       {"transport.taking.noted", "transport.taking.cut",
        "transport.taking.forgotten", "transport.inbox.ending",
        "transport.inbox.passed"})
    for (const unsigned countdown : {1U, 2U, 3U}) {
      if (countdown != 1
          && (point.ends_with("noted") || point.ends_with("cut")))
        continue;
      CAPTURE(point);
      CAPTURE(countdown);
      CHECK(troupe::test::in_new_run(
              {},
              [&] {
                auto& memory = troupe::memory::run_memory::current();
                static_cast<void>(make_ring(self(), small, 1));
                troupe::memory::warm_memory::give_back_own();
                const auto base = memory.reserved_bytes();
                const auto dead = troupe::test::fork_into_slot(9, [&] {
                  auto own = inbox::make(0, "");
                  // Of a writer that is gone, and of one that lives on.
                  {
                    const writer gone{own, self(), {1, 2}};
                  }
                  const auto ours = make_ring(self(), small, 3);
                  own.announce(ours);
                  troupe::os::arm_crash_point(point, countdown);
                  if (point.starts_with("transport.taking"))
                    static_cast<void>(own.take_announced());
                  own = {};
                });
                expect(troupe::test::confirm(dead, 9) == SIGKILL,
                       "it was not killed");
                troupe::memory::warm_memory::give_back_own();
                expect(memory.reserved_bytes() == base,
                       std::to_string(memory.reserved_bytes() - base)
                         + " bytes are left");
              })
            == "");
    }
}
