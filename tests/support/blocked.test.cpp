// SPDX-License-Identifier: BSL-1.0
#include <support/blocked.hpp>

#include <troupe/channel/queue.hpp>
#include <troupe/process/start.hpp>

#include <doctest/doctest.h>

using namespace troupe::test;

TEST_CASE("who waits for an item is blocked, for that and no longer") {
  const troupe::queue<int> items;
  const troupe::queue<int> others;
  const auto reader = troupe::start(
    [](troupe::queue<int> from) { static_cast<void>(from.get()); }, items);
  const auto blocked_on = [&](const troupe::queue<int>& what, wait_kind kind) {
    return blocked_threads(troupe::inspection::here(), kind,
                           [&](const auto& each) {
                             return !each.targets.empty()
                                    && each.targets.front().object == what.id();
                           });
  };
  CHECK(await_blocked(reader.pid(), wait_kind::item));
  CHECK(await_blocked_in(reader.pid(), wait_kind::item));
  CHECK(await_blocked_on(items.id(), wait_kind::item));
  CHECK(blocked_on(items, wait_kind::item) == 1);
  CHECK(blocked_on(items, wait_kind::room) == 0);
  CHECK(blocked_on(others, wait_kind::item) == 0);
  items.put(1);
  CHECK(reader.join().success());
  CHECK(blocked_on(items, wait_kind::item) == 0);
}
