// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/wait_before.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

using troupe::deadline;
using troupe::wait_before;
using namespace std::chrono_literals;

} // namespace

TEST_CASE("a wait without a limit lasts until it is notified") {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  std::unique_lock held{mutex};
  const std::jthread other{[&] {
    const std::scoped_lock guard{mutex};
    done = true;
    changed.notify_one();
  }};
  CHECK(wait_before(changed, held, deadline::never(), [&] { return done; }));
  CHECK(done);
  done = false;
  const std::jthread another{[&] {
    const std::scoped_lock guard{mutex};
    done = true;
    changed.notify_one();
  }};
  while (!done)
    CHECK(wait_before(changed, held, deadline::never()));
}

TEST_CASE("a wait with a limit says whether that has passed") {
  std::mutex mutex;
  std::condition_variable changed;
  std::unique_lock held{mutex};
  CHECK_FALSE(wait_before(changed, held, deadline::now()));
  CHECK_FALSE(
    wait_before(changed, held, deadline::after(1ms), [] { return false; }));
  CHECK(held.owns_lock());
  // What is done already needs no time.
  CHECK(wait_before(changed, held, deadline::now(), [] { return true; }));
}
