// SPDX-License-Identifier: BSL-1.0

// As many processes at once as the machine allows, at most 2,000, and twice as
// many over the life of the run: a matter of `limits::processes` alone.
// TROUPE_CROWD and TROUPE_CROWD_LIFE set the two numbers: 10000 and 100000 take
// a minute.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/process/program.hpp>
#include <troupe/process/start.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>

#include <support/eventually.hpp>
#include <support/living_bytes.hpp>
#include <support/sanitized.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

std::uint64_t number_in(const char* path, std::uint64_t otherwise) {
  std::uint64_t result = otherwise;
  std::ifstream{path} >> result;
  return result;
}

std::size_t set_by_hand(const char* name, std::uint64_t otherwise) {
  const char* wanted = std::getenv(name);
  return static_cast<std::size_t>(
    wanted == nullptr ? otherwise : std::strtoull(wanted, nullptr, 10));
}

/// Half of what the machine lets this user have, and of its memory.
std::size_t largest_crowd() {
  ::rlimit of_user{};
  ::getrlimit(RLIMIT_NPROC, &of_user);
  constexpr std::uint64_t each = 1 << 20;
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto wanted
    = std::min({std::uint64_t{troupe::test::sanitized ? 100 : 2'000},
                std::uint64_t{of_user.rlim_cur} / 2, pages * page / each / 2,
                number_in("/proc/sys/kernel/pid_max", 32768) / 3,
                number_in("/sys/fs/cgroup/pids.max", 1 << 20) / 2});
  return set_by_hand("TROUPE_CROWD", wanted);
}

/// The same number at each call, since the limit of the run depends on it.
std::size_t crowd() {
  static const auto result = largest_crowd();
  return result;
}

class stopwatch {
public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now()
                                         - start_)
      .count();
  }

private:
  std::chrono::steady_clock::time_point start_
    = std::chrono::steady_clock::now();
};

void arrive_and_wait(troupe::value<long> here, troupe::event over) {
  ++here;
  over.wait();
}

void arrive(troupe::value<long> here) {
  ++here;
}

} // namespace

TEST_CASE(
  "as many processes as the limit says are alive at once, and hold what "
  "they were given") {
  const auto before = troupe::test::living_bytes();
  {
    const auto count = crowd();
    const troupe::value<long> here{0};
    const troupe::event over;
    const stopwatch watch;
    std::vector<troupe::process> all;
    for (std::size_t i = 0; i < count; ++i)
      all.push_back(troupe::start<arrive_and_wait>(here, over));
    CHECK(troupe::test::eventually(
      [&] { return here.load() == static_cast<long>(count); }, 100s));
    CHECK(troupe::active_children().size() == count);
    const auto alive = watch.seconds();
    over.set();
    std::size_t succeeded = 0;
    for (auto& each : all)
      succeeded += each.join().success() ? 1 : 0;
    CHECK(succeeded == count);
    std::printf(
      "%zu processes were alive after %.1f s, and gone after %.1f s\n", count,
      alive, watch.seconds());
  }
  CHECK(troupe::test::eventually(
    [&] { return troupe::test::living_bytes() == before; }));
}

TEST_CASE("the rows of those who have ended are used again") {
  const auto before = troupe::test::living_bytes();
  const auto count = set_by_hand("TROUPE_CROWD_LIFE", 2 * crowd());
  {
    const troupe::value<long> here{0};
    const stopwatch watch;
    const auto at_once = std::min<std::size_t>(crowd(), 200);
    std::size_t succeeded = 0;
    for (std::size_t done = 0; done < count;) {
      std::vector<troupe::process> some;
      for (; some.size() < at_once && done < count; ++done)
        some.push_back(troupe::start<arrive>(here));
      for (auto& each : some)
        succeeded += each.join().success() ? 1 : 0;
    }
    CHECK(succeeded == count);
    CHECK(here.load() == static_cast<long>(count));
    std::printf("%zu processes came and went in %.1f s\n", count,
                watch.seconds());
  }
  CHECK(troupe::test::eventually(
    [&] { return troupe::test::living_bytes() == before; }));
}

int main(int argc, char** argv) {
  const troupe::program program{
    argc, argv,
    troupe::run_options{
      .size = {.processes = static_cast<std::uint32_t>(crowd() + 64)}}};
  return doctest::Context(argc, argv).run();
}
