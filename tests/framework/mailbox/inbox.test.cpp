// SPDX-License-Identifier: BSL-1.0
#include <framework/memory/scratch_run.hpp>

#include <troupe/base/error.hpp>
#include <troupe/mailbox/inbox.hpp>

#include <support/eventually.hpp>

#include <doctest/doctest.h>

#include <cstdint>
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
