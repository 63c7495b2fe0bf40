// SPDX-License-Identifier: BSL-1.0

// Actors on other machines, and handles that cross: made, asked, watched,
// killed, lost, let go of.

#include "at_work.hpp"

#include <doctest/doctest.h>
#include <support/sanitized.hpp>

#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

using namespace troupe::test;

namespace {

/// A lead of `actor_role`, and its machines.
struct at_work : machines_at_work {
  explicit at_work(std::vector<std::string> what, int machines = 1)
    : machines_at_work("actor_role", std::move(what), machines) {
  }
};

/// The milliseconds that stand behind a line's begin.
long milliseconds_of(const std::string& text, const std::string& line) {
  const auto at = text.find(line);
  return at == std::string::npos
           ? -1
           : std::atol(word_behind(text.substr(at), " after ").c_str());
}

constexpr long at_once = sanitized ? 5'000 : 1'000;

} // namespace

TEST_CASE("an actor of a function, a class, a lambda or a typed behaviour is "
          "made on a machine, in a process of its own, and answers") {
  at_work both{{"spawn"}};
  both.ends(1);
  CHECK(both.printed("function 12\nagain 42\n"));
  CHECK(both.printed("class till 7\n"));
  CHECK(both.printed("typed 9\n"));
  CHECK(both.printed("lambda of a lambda\n"));
  CHECK(both.printed("elsewhere 1\n"));
}

TEST_CASE(
  "what an actor's function or constructor throws on a machine is thrown "
  "by spawn, with the machine's name") {
  at_work both{{"throw"}};
  both.ends(1);
  CHECK(both.printed(
    "remote_exception [call the maker of an actor on machine kitchen: "
    "std::logic_error: the oven is cold] type=std::logic_error text=the oven "
    "is cold\n"));
  CHECK(both.printed(
    "remote_exception [call the maker of an actor on machine kitchen: "
    "std::runtime_error: no gas]"));
}

TEST_CASE("a handle that goes to a machine and comes back is the same one") {
  at_work both{{"home"}};
  both.ends(1);
  CHECK(count(both.lead.output(), "the same 1\n") == 3);
}

TEST_CASE(
  "a request is delegated to and fro between machines, or answered later "
  "by a promise; a promise that is dropped is broken") {
  at_work both{{"delegate"}};
  both.ends(1);
  CHECK(both.printed("here 3\n"));
  CHECK(both.printed("delegated 103\n"));
  CHECK(both.printed("promised 107\n"));
  CHECK(both.printed("beside 1005\n"));
  CHECK(both.printed("there and back 1011\n"));
  CHECK(both.printed("nobody error caf::sec::broken_promise"));
}

TEST_CASE(
  "a request to another machine that nobody answers ends at its limit") {
  at_work both{{"patience"}};
  both.ends(1);
  CHECK(both.printed("late caf::sec::request_timeout\n"));
}

TEST_CASE("monitors tell of ends across machines, with the reason, in both "
          "directions, and those who ask later, too") {
  at_work both{{"monitor"}};
  both.ends(1);
  CHECK(both.printed("there down caf::exit_reason::user_shutdown"));
  CHECK(both.printed("later down caf::exit_reason::user_shutdown"));
  CHECK(both.printed("ended error caf::sec::request_receiver_down"));
  CHECK(count(both.lead.output(), "here told of none\n") == 2);
  CHECK(both.printed("later told of none\n"));
}

TEST_CASE(
  "links end across machines, in both directions, also where the process "
  "is killed, until they are undone") {
  at_work both{{"link"}};
  both.ends(1);
  for (const auto* from :
       {"there", "there of a process", "here", "in a process"})
    CHECK(both.printed(std::string{from}
                       + " exit caf::exit_reason::user_shutdown\n"));
  CHECK(both.printed("killed exit peer_died(\"process "));
  CHECK(both.printed("unlinked down none"));
  // Each of the eight is told once.
  CHECK(count(both.lead.output(), " more 0\n") == 8);
}

TEST_CASE(
  "every process of the lead's run uses actors of machines, and is used "
  "by them") {
  at_work both{{"child"}};
  both.ends(1);
  CHECK(both.printed("from a child 5\n"));
  CHECK(both.printed("of a child 77\n"));
  CHECK(both.printed("in a child down none"));
}

TEST_CASE(
  "actors of two machines know each other: as an argument, in a message, "
  "by a monitor; and a request that was passed on fails when the machine "
  "that has it is lost") {
  at_work all{{"three"}, 2};
  REQUIRE(all.lead.wait_for("about to be lost"));
  all.all.at(1)->signal(SIGKILL);
  all.ends(1);
  CHECK(all.printed("argument 3\n"));
  CHECK(all.printed("delegated 6\n"));
  CHECK(all.printed("in a message 10\n"));
  CHECK(all.printed("of another machine told of none\n"));
  CHECK(all.printed("passed on machine_lost(\"reach an actor on machine "
                    "cellar: it is lost: "));
  CHECK(all.printed("lost told of machine_lost("));
  CHECK(all.printed("after error "));
}

TEST_CASE(
  "the process of an actor on a machine is killed: requests on their way "
  "and monitors get peer_died at once, with the story") {
  at_work both{{"kill"}};
  both.ends(1);
  const auto& text = both.lead.output();
  CHECK(both.printed("request peer_died(\"process 'process-1' (pid "));
  CHECK(text.find("killed by SIGKILL (9) on machine kitchen")
        != std::string::npos);
  CHECK(both.printed("process down peer_died("));
  CHECK(milliseconds_of(text, "request peer_died") >= 0);
  CHECK(milliseconds_of(text, "request peer_died") < at_once);
}

TEST_CASE(
  "a machine is lost: requests on their way, monitors and later requests "
  "to its actors get machine_lost at once") {
  at_work both{{"lose"}};
  REQUIRE(both.lead.wait_for("about to be lost"));
  const auto start = clock_type::now();
  both.all.front()->signal(SIGKILL);
  REQUIRE(both.lead.wait_for("machine down machine_lost("));
  CHECK(milliseconds_since(start) < at_once);
  both.ends(0);
  CHECK(
    both.printed("request machine_lost(\"reach an actor on machine kitchen: "
                 "it is lost: "));
  CHECK(both.printed("after error machine_lost("));
  CHECK(
    both.printed("machine_lost [make an actor on machine kitchen: it is not "
                 "there any more: "));
}

TEST_CASE("an actor to which nobody refers any more, on no machine, ends as at "
          "home; one that another machine refers to lives") {
  at_work both{{"gone"}};
  both.ends(1);
  CHECK(both.printed("there down caf::exit_reason::unreachable"));
  CHECK(both.printed("kept 1\n"));
  CHECK(both.printed("here down caf::exit_reason::unreachable"));
}

TEST_CASE(
  "a message that names memory of this machine is refused to its sender, "
  "who is told what to use, and is a dead letter") {
  at_work both{{"memory"}};
  both.ends(1);
  CHECK(
    both.printed("bundle error invalid_argument(\"send a message to machine "
                 "kitchen: it names memory of this machine; send a copy, "
                 "such as a std::vector or buffer.copied()"));
  CHECK(both.printed("dead letters 2\n"));
  CHECK(both.printed("values error caf::sec::unexpected_message"));
  CHECK(both.printed("alive 1\n"));
}

TEST_CASE(
  "messages of one actor to another on a machine keep their order, a long "
  "one among them, while a large one goes to a third") {
  at_work both{{"order", "100000"}};
  both.ends(1);
  CHECK(both.printed("in order 100000\n"));
  CHECK(both.printed("large 67108864\n"));
}

TEST_CASE("a machine that leaves does not wait for its actors, which end with "
          "it") {
  at_work both{{"leave"}};
  REQUIRE(both.lead.wait_for("asked to leave"));
  both.all.front()->signal(SIGTERM);
  both.ends(1);
  CHECK(both.printed("left down machine_lost(\"reach an actor on machine "
                     "kitchen: it is lost: it was asked to end, and has left"));
}

TEST_CASE("the lead is killed with actors on a machine: nothing is left") {
  at_work both{{"lose"}};
  REQUIRE(both.lead.wait_for("about to be lost"));
  both.lead.signal(SIGKILL);
  CHECK(exited_with(both.all.front()->wait(), 1));
  CHECK(leaves_nothing(both.all.front()->run()));
  CHECK(leaves_nothing(both.lead.run()));
}
