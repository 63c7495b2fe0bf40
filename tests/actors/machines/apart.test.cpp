// SPDX-License-Identifier: BSL-1.0

// Three machines with cables between them, which are cut: network and PID
// namespaces. Needs root; without it the cases say so and pass.

#include "together.hpp"

#include <doctest/doctest.h>
#include <support/machines.hpp>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr auto port = "4242";
constexpr std::int64_t silence = 1'000;
/// Of a machine that works beside other tests.
constexpr std::int64_t busy = 5'000;

/// A lead on machine 1 that has a process run on "kitchen", which is machine 2.
class at_work {
public:
  at_work(const three_machines& on, const std::string& nap,
          const std::string& seconds = "1")
    : lead(on.on(1, {beside_this_program("machine_role"),
                     "--troupe.listen=" + on.address(1) + ':' + port,
                     "--troupe.silence=" + seconds, "nap", nap}),
           with_key()),
      kitchen(on.on(2, {beside_this_program("machine_role"),
                        "--troupe.join=" + on.address(1) + ':' + port,
                        "--troupe.name=kitchen"}),
              with_key()) {
    REQUIRE(lead.wait_for("kitchen│ began"));
    lead_root = child_of(lead.pid());
    kitchen_root = child_of(kitchen.pid());
    lead_run = run_of(lead_root);
    kitchen_run = run_of(kitchen_root);
    REQUIRE(members_of(kitchen_run).size() >= 3);
  }

  /// Nothing of the machine is left within its lease and half a second, and the
  /// lead counts it as lost after that, when it may no longer act.
  /// `seen`: this looks from the cut on.
  void expect_loss(clock_type::time_point cut, bool seen = true) {
    CHECK(eventually([&] { return members_of(kitchen_run).empty(); }));
    const auto empty = milliseconds_since(cut);
    REQUIRE(lead.wait_for("machine_lost ["));
    const auto lost = milliseconds_since(cut);
    MESSAGE("the machine was empty after ", empty, " ms, and lost after ", lost,
            " ms");
    CHECK(empty < silence + 500 + busy);
    CHECK((lost > empty || !seen));
    CHECK(lost < silence * 17 / 10 + busy);
    CHECK(exited_with(lead.wait(), 0));
    static_cast<void>(kitchen.wait());
    CHECK(leaves_nothing(lead_run));
  }

  launched lead;
  launched kitchen;
  std::int32_t lead_root = 0;
  std::int32_t kitchen_root = 0;
  std::uint64_t lead_run = 0;
  std::uint64_t kitchen_run = 0;
};

} // namespace

TEST_CASE("a lead and two machines, each a computer of its own") {
  const three_machines on;
  if (!on.exist())
    return;
  launched lead{on.on(1, {beside_this_program("machine_role"),
                          "--troupe.listen=" + on.address(1) + ':' + port,
                          "list", "2"}),
                with_key()};
  const auto join = [&](int machine, const std::string& name) {
    return on.on(machine, {beside_this_program("machine_role"),
                           "--troupe.join=" + on.address(1) + ':' + port,
                           "--troupe.name=" + name});
  };
  launched kitchen{join(2, "kitchen"), with_key()};
  launched cellar{join(3, "cellar"), with_key()};
  CHECK(exited_with(lead.wait(), 0));
  CHECK(lead.output().find(" kitchen labels") != std::string::npos);
  CHECK(lead.output().find(" cellar labels") != std::string::npos);
  CHECK(exited_with(kitchen.wait(), 0));
  CHECK(exited_with(cellar.wait(), 0));
}

TEST_CASE(
  "the cable is cut: the machine ends itself, and only then is it lost") {
  const three_machines on;
  if (!on.exist())
    return;
  at_work both{on, "1000"};
  const auto cut = clock_type::now();
  REQUIRE(on.cut(2));
  both.expect_loss(cut);
}

TEST_CASE("cut in one direction only: the same") {
  for (const bool to_lead : {true, false}) {
    CAPTURE(to_lead);
    const three_machines on;
    if (!on.exist())
      return;
    at_work both{on, "1000"};
    const auto cut = clock_type::now();
    REQUIRE((to_lead ? on.cut_one_way(2, 1) : on.cut_one_way(1, 2)));
    both.expect_loss(cut);
  }
}

TEST_CASE("a cable that is plugged again soon enough loses nothing") {
  const three_machines on;
  if (!on.exist())
    return;
  // Long enough for TCP, which tries again after pauses that double.
  at_work both{on, "4", "6"};
  REQUIRE(on.cut(2));
  // Time: how long the cable is out.
  std::this_thread::sleep_for(1s);
  REQUIRE(on.mend(2));
  CHECK(exited_with(both.lead.wait(), 0));
  CHECK(both.lead.output().find("result 7 after") != std::string::npos);
  CHECK(exited_with(both.kitchen.wait(), 0));
}

TEST_CASE("after a cut has healed nobody comes back") {
  const three_machines on;
  if (!on.exist())
    return;
  at_work both{on, "1000"};
  const auto cut = clock_type::now();
  REQUIRE(on.cut(2));
  // Time: how long the cable is out.
  std::this_thread::sleep_for(std::chrono::milliseconds{3 * silence});
  REQUIRE(on.mend(2));
  both.expect_loss(cut, false);
  CHECK(count(both.lead.output(), "machine kitchen joined") == 1);
}

TEST_CASE(
  "power is lost: no word comes, and the machine is lost by its silence") {
  const three_machines on;
  if (!on.exist())
    return;
  at_work both{on, "1000"};
  const auto cut = clock_type::now();
  REQUIRE(on.cut(2));
  ::kill(both.kitchen_root, SIGKILL);
  CHECK(eventually([&] { return members_of(both.kitchen_run).empty(); }));
  REQUIRE(both.lead.wait_for("machine_lost ["));
  const auto lost = milliseconds_since(cut);
  MESSAGE("lost after ", lost, " ms");
  CHECK(lost >= silence);
  CHECK(lost < silence * 17 / 10 + busy);
  CHECK(exited_with(both.lead.wait(), 0));
}

TEST_CASE(
  "the lead is killed and nobody hears of it: its machine ends itself") {
  const three_machines on;
  if (!on.exist())
    return;
  at_work both{on, "1000"};
  const auto cut = clock_type::now();
  REQUIRE(on.cut(1));
  ::kill(both.lead_root, SIGKILL);
  static_cast<void>(both.kitchen.wait());
  const auto empty = milliseconds_since(cut);
  MESSAGE("the machine was empty after ", empty, " ms");
  CHECK(empty < silence + 500 + busy);
  CHECK(leaves_nothing(both.kitchen_run));
  CHECK(both.kitchen.output().find(" is lost: ") != std::string::npos);
}

TEST_CASE("a machine is killed as a whole: it is lost at once") {
  const three_machines on;
  if (!on.exist())
    return;
  at_work both{on, "1000"};
  const auto start = clock_type::now();
  ::kill(both.kitchen_root, SIGKILL);
  REQUIRE(both.lead.wait_for("machine_lost ["));
  MESSAGE("machine_lost after ", milliseconds_since(start), " ms");
  CHECK(milliseconds_since(start) < busy);
  CHECK(exited_with(both.lead.wait(), 0));
  CHECK(leaves_nothing(both.kitchen_run));
}
