// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/event.hpp>

#include <troupe/process/future.hpp>
#include <troupe/sync/semaphore.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include "crew.hpp"

using namespace std::chrono_literals;

namespace {

void set_it(troupe::event news) {
  news.set();
}

void wait_for_it(troupe::event news, troupe::semaphore waits,
                 troupe::semaphore passed) {
  waits.release();
  news.wait();
  passed.release();
}

} // namespace

TEST_CASE("an event is set, cleared and waited for") {
  const troupe::event news;
  CHECK_FALSE(news.is_set());
  CHECK_FALSE(news.wait_for(0s));
  CHECK_FALSE(news.wait_for(-1s));
  CHECK(time_of([&] { CHECK_FALSE(news.wait_for(30ms)); }) >= 30ms);
  news.set();
  news.set();
  CHECK(news.is_set());
  news.wait();
  CHECK(news.wait_for(1h));
  CHECK(news.wait_until(std::chrono::system_clock::now() - 1h));
  news.clear();
  CHECK_FALSE(news.is_set());
  auto setter = troupe::start<set_it>(news);
  news.wait();
}

TEST_CASE("all who wait pass, also if the event is cleared at once") {
  for (const auto kind : both_kinds) {
    const troupe::event news;
    const troupe::semaphore waits{0};
    const troupe::semaphore passed{0};
    crew crew{kind};
    for (int i = 0; i < 4; ++i)
      crew.add<wait_for_it>(news, waits, passed);
    for (int i = 0; i < 4; ++i)
      waits.acquire();
    // Those who have said so may not wait quite yet.
    while (passed.value() < 4) {
      news.set();
      news.clear();
      static_cast<void>(passed.try_acquire_for(1ms)
                        && (passed.release(), true));
    }
    CHECK(crew.join());
  }
}

TEST_CASE("a dead sleeper does not disturb") {
  const troupe::event news;
  const troupe::semaphore waits{0};
  const troupe::semaphore passed{0};
  auto victim = troupe::start<wait_for_it>(news, waits, passed);
  auto other = troupe::start<wait_for_it>(news, waits, passed);
  waits.acquire();
  waits.acquire();
  victim.kill();
  victim.join();
  news.set();
  CHECK(other.join().success());
}
