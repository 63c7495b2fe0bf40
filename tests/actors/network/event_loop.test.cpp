// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/event_loop.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

using troupe::network::event_loop;

namespace {

/// A loop, ended with the scope.
struct running_loop {
  running_loop() = default;
  running_loop(const running_loop&) = delete;
  running_loop& operator=(const running_loop&) = delete;
  ~running_loop() {
    loop.stop();
  }

  /// Calls `act` while a guest leads; returns whether the guest that comes
  /// right after that one leads, too.
  template <class Act>
  bool next_guest_leads(Act act) {
    bool next = false;
    REQUIRE(troupe::test::eventually([&] {
      loop.post([this] { loop.give_way(); });
      {
        const event_loop::guest first{loop};
        if (!first.leads())
          return false;
        act();
      }
      const event_loop::guest second{loop};
      next = second.leads();
      return true;
    }));
    return next;
  }

  event_loop loop;
};

} // namespace

TEST_CASE("a guest may follow another") {
  running_loop of;
  // Unless the own thread has come between: it does after a while.
  CHECK(troupe::test::eventually([&] { return of.next_guest_leads([] {}); }));
}

TEST_CASE(
  "the own thread leads next where somebody waits while a guest leads") {
  running_loop of;
  for (int turn = 0; turn < 100; ++turn)
    CHECK_FALSE(of.next_guest_leads([&] { of.loop.lead_on(); }));
}
