// SPDX-License-Identifier: BSL-1.0

// What happens to machines, as those who listen hear of it, and what is kept.

#include <troupe/base/deadline.hpp>
#include <troupe/machines/event_log.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

using troupe::deadline;
using troupe::machines::event_log;
using troupe::machines::happening;
using how = troupe::machines::event_log::told::how;

namespace {

happening numbered(int number) {
  return {happening::what::joined, nullptr, std::to_string(number)};
}

/// What a listener is told now: the number of what has happened.
std::string heard(event_log& of, event_log::listener& by) {
  const auto told = of.next(by, deadline::now());
  return told.came == how::happened ? told.what.reason : std::string{};
}

} // namespace

TEST_CASE(
  "each listener hears of each thing once, in order, from when it began "
  "to listen") {
  event_log log;
  const auto early = log.listen();
  log.add(numbered(1));
  const auto late = log.listen();
  log.add(numbered(2));
  CHECK(heard(log, *early) == "1");
  CHECK(heard(log, *late) == "2");
  CHECK(heard(log, *early) == "2");
  CHECK(log.next(*early, deadline::now()).came == how::timed_out);
  CHECK(log.next(*late, deadline::now()).came == how::timed_out);
}

TEST_CASE("nothing is kept that nobody will hear of") {
  event_log log;
  for (int i = 0; i < 100; ++i)
    log.add(numbered(i));
  CHECK(log.kept() == 0);
  const auto one = log.listen();
  auto other = log.listen();
  for (int i = 0; i < 100; ++i)
    log.add(numbered(i));
  CHECK(log.kept() == 100);
  for (int i = 0; i < 60; ++i)
    CHECK(heard(log, *one) == std::to_string(i));
  // The other has heard of none.
  CHECK(log.kept() == 100);
  other.reset();
  log.add(numbered(100));
  CHECK(log.kept() == 41);
  for (int i = 60; i <= 100; ++i)
    CHECK(heard(log, *one) == std::to_string(i));
  CHECK(log.kept() == 0);
}

TEST_CASE("a listener that hears nothing for long is told how much it has "
          "missed, once, and goes on with the oldest that is kept") {
  event_log log;
  const auto slow = log.listen();
  constexpr int all = static_cast<int>(event_log::most_kept) + 7;
  for (int i = 0; i < all; ++i)
    log.add(numbered(i));
  CHECK(log.kept() == event_log::most_kept);
  const auto told = log.next(*slow, deadline::never());
  CHECK(told.came == how::missed);
  CHECK(told.missed == 7);
  for (int i = 7; i < all; ++i)
    REQUIRE(heard(log, *slow) == std::to_string(i));
  CHECK(log.kept() == 0);
}

TEST_CASE("who waits is told at once, and at the end that there is no more") {
  event_log log;
  const auto by = log.listen();
  std::thread other{[&] { log.add(numbered(1)); }};
  CHECK(log.next(*by, deadline::never()).what.reason == "1");
  other.join();
  log.add(numbered(2));
  std::thread last{[&] { log.close(); }};
  CHECK(log.next(*by, deadline::never()).what.reason == "2");
  CHECK(log.next(*by, deadline::never()).came == how::closed);
  last.join();
}
