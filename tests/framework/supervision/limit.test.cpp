// SPDX-License-Identifier: BSL-1.0
#include <troupe/supervision/report_line.hpp>
#include <troupe/supervision/restart_limit.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;
using troupe::supervision::end_cause;
using troupe::supervision::restart_limit;

namespace {

const auto start = troupe::supervision::clock::time_point{} + 100s;

} // namespace

TEST_CASE("the intensity counts within its period only") {
  restart_limit counts{{.most = 2, .period = 10s}};
  CHECK(counts.note(end_cause::crashed, start));
  CHECK(counts.note(end_cause::killed, start + 1s));
  CHECK_FALSE(counts.note(end_cause::not_made, start + 2s));
  // Exactly a period ago is within the period, as Erlang counts.
  CHECK_FALSE(counts.note(end_cause::by_itself, start + 11s));
  CHECK(counts.count() == 3);
  CHECK(counts.note(end_cause::crashed, start + 22s));
  CHECK(counts.count() == 1);
}

TEST_CASE("an intensity of 0 allows none") {
  restart_limit counts{{.most = 0, .period = 10s}};
  CHECK_FALSE(counts.note(end_cause::crashed, start));
}

TEST_CASE("slow ends in a row are too many as well, until somebody works") {
  restart_limit counts{{.most = 2, .period = 1s, .in_a_row = true}};
  auto now = start;
  const auto crash = [&] { return counts.note(end_cause::crashed, now += 1h); };
  CHECK(crash());
  CHECK(crash());
  CHECK_FALSE(crash());
  counts.end_row();
  CHECK(crash());
}

TEST_CASE("those who work in between do not hide ends that are too frequent") {
  restart_limit counts{{.most = 2, .period = 1s, .in_a_row = true}};
  for (const bool allowed : {true, true, false}) {
    CHECK(counts.note(end_cause::crashed, start) == allowed);
    counts.end_row();
  }
}

TEST_CASE("a hundred times as many may be killed") {
  restart_limit counts{{.most = 1, .period = 1s, .in_a_row = true}};
  for (int i = 0; i < 100; ++i)
    CHECK(counts.note(end_cause::killed, start));
  CHECK_FALSE(counts.note(end_cause::killed, start));
}

TEST_CASE("a start that fails counts in its row only") {
  restart_limit counts{{.most = 1, .period = 1h, .in_a_row = true}};
  for (int i = 0; i < 10; ++i) {
    CHECK(counts.note(end_cause::not_made, start));
    counts.end_row();
  }
  CHECK(counts.note(end_cause::not_made, start));
  CHECK_FALSE(counts.note(end_cause::not_made, start));
}

TEST_CASE("an intensity may be as high as its type goes") {
  // A hundred times as much is 4 in 32 bits.
  for (const std::uint32_t most : {42'949'673U, 0xFFFF'FFFFU}) {
    restart_limit counts{{.most = most, .in_a_row = true}};
    for (int i = 0; i < 200; ++i)
      CHECK(counts.note(end_cause::killed, start));
  }
}

TEST_CASE("a report is one line, in the words of who supervises") {
  const troupe::supervision::report_words words{"cook", "was never here",
                                                "another comes",
                                                "the kitchen closes"};
  CHECK(line_of({"Ann", 17, "exit code 3", 1, false}, words)
        == "troupe: cook 'Ann' (pid 17) ended: exit code 3; another comes");
  CHECK(line_of({"Bob", 0, "no train", 4, true}, words)
        == "troupe: cook 'Bob' was never here: no train; the kitchen closes");
}
