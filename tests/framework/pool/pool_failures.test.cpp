// SPDX-License-Identifier: BSL-1.0

// Workers that end before they have run a task, or cannot be made: the pool
// says so, goes on with the others, and gives up after a stated number.

#include <troupe/pool/pool.hpp>
#include <troupe/shared/value.hpp>

#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using troupe::test::eventually;
using troupe::test::launched;

namespace {

const std::string role = troupe::test::beside_this_program("pool_role");

using reports = std::vector<troupe::restart_report>;

struct log_book {
  std::mutex mutex;
  reports all;

  std::function<void(const troupe::restart_report&)> writer() {
    return [this](const troupe::restart_report& what) {
      const std::scoped_lock guard{mutex};
      all.push_back(what);
    };
  }

  reports read() {
    const std::scoped_lock guard{mutex};
    return all;
  }
};

int twice(int number) {
  return 2 * number;
}

void refuse() {
  throw std::runtime_error{"no database today"};
}

void crash() {
  std::abort();
}

/// Fails in every start but the first ones.
void moody(troupe::value<int> starts, troupe::value<int> good) {
  if (++starts > good)
    throw std::runtime_error{"not again"};
}

/// Whether the pool computes what it should.
bool works(troupe::pool& pool) {
  const auto result = pool.map<twice>(std::views::iota(0, 50), 1);
  for (int i = 0; i < 50; ++i)
    if (result[static_cast<std::size_t>(i)] != 2 * i)
      return false;
  return true;
}

/// What the pool breaks with.
std::string story_of(troupe::pool& pool) {
  try {
    static_cast<void>(pool.apply<twice>(1));
    return {};
  } catch (const troupe::error& failure) {
    CHECK(failure.code() == troupe::errc::process_died);
    return failure.what();
  }
}

bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("an initialiser that always throws breaks the pool after a stated "
          "number of starts") {
  log_book book;
  troupe::pool pool{{.size = 2, .report = book.writer()},
                    troupe::worker_hooks{}.on_start<refuse>()};
  const auto story = story_of(pool);
  CHECK(contains(story, "its workers end before they run a task"));
  CHECK(contains(story, "std::runtime_error: no database today"));
  // Three for each worker and two, and one too many.
  const auto said = book.read();
  REQUIRE(said.size() == 9);
  CHECK(said.front().child.starts_with("pool-"));
  CHECK(said.front().pid > 0);
  CHECK(contains(said.front().reason, "no database today"));
  CHECK_FALSE(said[7].given_up);
  CHECK(said[8].given_up);
  CHECK(contains(story_of(pool), "no database today"));
  pool.close();
  pool.join();
}

TEST_CASE("so does one that crashes, as often as intensity says") {
  for (const std::uint32_t most : {0U, 3U}) {
    log_book book;
    troupe::pool pool{{.size = 1, .intensity = most, .report = book.writer()},
                      troupe::worker_hooks{}.on_start<crash>()};
    CHECK(contains(story_of(pool), "SIGABRT"));
    CHECK(book.read().size() == most + 1);
  }
}

TEST_CASE("one worker that never starts breaks the pool though others work") {
  log_book book;
  const troupe::value<int> starts{0};
  const troupe::value<int> good{2};
  troupe::pool pool{
    {.size = 2, .intensity = 3, .period = 60s, .report = book.writer()},
    troupe::worker_hooks{}.on_start<moody>(starts, good)};
  REQUIRE(works(pool));
  pool.workers().front().kill();
  std::string story;
  CHECK(eventually([&] {
    try {
      return !works(pool);
    } catch (const troupe::error& failure) {
      story = failure.what();
      // Of the kill, if it met a task.
      return contains(story, "not again");
    }
  }));
  CHECK(contains(story, "its workers end before they run a task"));
  CHECK(book.read().back().given_up);
}

TEST_CASE("workers that start badly are reported and tried again, until they "
          "start") {
  log_book book;
  troupe::value<int> starts{0};
  troupe::value<int> good{2};
  troupe::pool pool{
    {.size = 2, .retries = 1, .intensity = 1'000'000, .report = book.writer()},
    troupe::worker_hooks{}.on_start<moody>(starts, good)};
  REQUIRE(works(pool));
  pool.workers().front().kill();
  CHECK(eventually([&] { return works(pool) && book.read().size() > 5; }));
  good = 1'000'000;
  // Whoever still fails had begun before.
  CHECK(eventually([&] {
    const auto before = book.read().size();
    return works(pool) && works(pool) && book.read().size() == before;
  }));
  CHECK(pool.workers().size() == 2);
  const auto said = book.read();
  CHECK(std::none_of(said.begin(), said.end(),
                     [](const auto& each) { return each.given_up; }));
}

TEST_CASE("a report that throws does no harm") {
  troupe::pool pool{{.size = 1,
                     .intensity = 2,
                     .report = [](const auto&) { throw 1; }}, // NOLINT
                    troupe::worker_hooks{}.on_start<refuse>()};
  CHECK(contains(story_of(pool), "no database today"));
}

TEST_CASE("workers that cannot be made any more are reported, the others go "
          "on, and with the last the pool breaks") {
  // In its program the fork server is killed and never starts again.
  const auto flag = (std::filesystem::temp_directory_path()
                     / ("pool-role-" + std::to_string(::getpid())))
                      .string();
  troupe::test::launch_options options;
  options.environment = {"POOL_ROLE_NO_SERVER=" + flag};
  launched program{{role, "refused"}, options};
  const int status = program.wait();
  std::filesystem::remove(flag);
  CAPTURE(program.output());
  CHECK(status == 0);
  CHECK(contains(program.output(), "with both: right"));
  CHECK(contains(program.output(), "'pool-1' could not be started: lost"));
  CHECK(contains(program.output(), "with one: right"));
  CHECK(contains(program.output(),
                 "broken: run a pool: its workers cannot be started"));
}

TEST_CASE("a pool that is too large for its run throws, and leaves nothing") {
  launched program{{role, "too_large"}};
  CHECK(program.wait() == 0);
  CAPTURE(program.output());
  for (const char* size : {"100", "4000000000"})
    CHECK(contains(program.output(),
                   std::string{size}
                     + " are too large: start a process: the run has"));
  // None but to be killed again.
  CHECK(contains(program.output(), "started: 0"));
  CHECK(contains(program.output(), "children: 0"));
  CHECK(contains(program.output(), "smaller: right"));
}

TEST_CASE("who waits is told that a large result has no handle, and may try "
          "again; where nobody waits the pool breaks") {
  launched program{{role, "no_handles"}};
  CHECK(program.wait() == 0);
  CAPTURE(program.output());
  const std::string story = ": attach a shared object: this process holds";
  CHECK(contains(program.output(), "waiting" + story));
  CHECK(contains(program.output(), "then: 1\nthen: 1\ncalled back" + story));
  CHECK(contains(program.output(), "broken"));
}

TEST_CASE("a callback that throws is told of on standard error, and disturbs "
          "nobody") {
  launched program{{role, "callbacks_throw"}};
  CHECK(program.wait() == 0);
  CAPTURE(program.output());
  for (const char* what : {"progress", "first", "last"})
    CHECK(
      contains(program.output(), "troupe: a callback of pool 'kitchen' threw "
                                 "std::runtime_error: no "
                                   + std::string{what} + "\n"));
  CHECK(contains(program.output(), "with progress: right"));
  CHECK(contains(program.output(), "after all: right"));
}

TEST_CASE("a pool that nobody ends, or that is ended after the run, does not "
          "hold up its program") {
  for (const char* name : {"forgets", "ends_late"}) {
    CAPTURE(name);
    launched program{{role, name}};
    CHECK(program.wait() == 0);
    CAPTURE(program.output());
    CHECK(contains(program.output(), "forgotten: right"));
  }
}
