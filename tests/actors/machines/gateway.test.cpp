// SPDX-License-Identifier: BSL-1.0

// What two roots say to each other of actors: both ends in one process.

#include <troupe/machines/gateway.hpp>

#include <troupe/base/error.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/machines/messages.hpp>
#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/transport/dead_letters.hpp>

#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <support/changed_bytes.hpp>
#include <support/eventually.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe::test;
using troupe::machines::actor_frame;
using troupe::machines::gateway;

namespace {

troupe::network::payload as_payload(const troupe::bytes& from) {
  troupe::network::payload made{from.size()};
  std::copy(from.begin(), from.end(), made.data());
  return made;
}

/// One end, and what it has said.
struct end {
  std::shared_ptr<gateway> of;
  std::mutex mutex;
  std::vector<troupe::bytes> said;
  std::shared_ptr<gateway> other;

  void make(gateway::duties does = {}) {
    of = gateway::make("machine kitchen",
                       {[this](const troupe::bytes& message, std::uint64_t,
                               bool) {
                          {
                            const std::scoped_lock guard{mutex};
                            said.push_back(message);
                          }
                          if (other)
                            other->take(as_payload(message));
                        },
                        [] { return std::size_t{0}; }},
                       std::move(does));
  }
};

/// An actor that the far end makes when it is asked to.
struct both_ends {
  both_ends() {
    lead.make({.serves = [this] { return service; }});
    machine.make({.makes =
                    [this](troupe::machines::spawn_order what,
                           std::vector<caf::strong_actor_ptr> given) {
                      handles = given;
                      machine.of->spawned(
                        what.number, caf::actor_cast<caf::strong_actor_ptr>(
                                       std::move(made)));
                    },
                  .takes =
                    [this](const troupe::bytes& message,
                           const troupe::machines::placed_actors& given) {
                      taken = message;
                      carried = given;
                    }});
    lead.other = machine.of;
    machine.other = lead.of;
  }

  ~both_ends() {
    lead.other = nullptr;
    machine.other = nullptr;
    lead.of->lose("the test is over");
    machine.of->lose("the test is over");
  }

  /// The handle, through both ends, of one that answers.
  [[nodiscard]] caf::actor far() {
    made = troupe::actor_system().spawn([]() -> caf::behavior {
      return {[](int value) { return value + 1; },
              [](const caf::actor& one) { return one; }};
    });
    return caf::actor_cast<caf::actor>(lead.of->spawn({}, {}));
  }

  end lead;
  end machine;
  caf::actor made;
  std::vector<caf::strong_actor_ptr> handles;
  troupe::bytes taken;
  troupe::machines::placed_actors carried;
  caf::strong_actor_ptr service;
};

std::vector<std::uint8_t> as_input(const troupe::bytes& from) {
  std::vector<std::uint8_t> made;
  for (const auto each : from)
    made.push_back(std::to_integer<std::uint8_t>(each));
  return made;
}

troupe::bytes as_bytes(const std::vector<std::uint8_t>& from) {
  troupe::bytes made;
  for (const auto each : from)
    made.push_back(static_cast<std::byte>(each));
  return made;
}

} // namespace

TEST_CASE("what one end says is what the other one hears, and a handle that "
          "comes home is the actor") {
  both_ends both;
  const auto far = both.far();
  caf::scoped_actor self{troupe::actor_system()};
  int answer = 0;
  self->request(far, 10s, 4)
    .receive([&](int value) { answer = value; }, [](const caf::error&) {});
  CHECK(answer == 5);
  bool same = false;
  self->request(far, 10s, far)
    .receive([&](const caf::actor& back) { same = back == far; },
             [](const caf::error&) {});
  CHECK(same);
}

TEST_CASE(
  "a message of another kind is carried with the handles that belong to "
  "it, where they belong") {
  both_ends both;
  const auto here = troupe::actor_system().spawn(
    []() -> caf::behavior { return {[](int value) { return value + 2; }}; });
  const troupe::bytes said(50, std::byte{7});
  both.lead.of->carry(
    said, {{3, caf::actor_cast<caf::strong_actor_ptr>(here)}, {30, nullptr}}, 7,
    false);
  CHECK(both.taken == said);
  REQUIRE(both.carried.size() == 2);
  CHECK(both.carried[0].at == 3);
  CHECK(both.carried[1].actor == nullptr);
  caf::scoped_actor self{troupe::actor_system()};
  int answer = 0;
  self->request(caf::actor_cast<caf::actor>(both.carried[0].actor), 10s, 4)
    .receive([&](int value) { answer = value; }, [](const caf::error&) {});
  CHECK(answer == 6);
  auto into = said;
  CHECK_THROWS_AS(
    troupe::machines::write_handles(into, {{40, both.carried[0].actor}}),
    troupe::malformed_bytes);
  CHECK_THROWS_AS(
    troupe::machines::write_handles(into, {{0, both.carried[0].actor},
                                           {15, both.carried[0].actor}}),
    troupe::malformed_bytes);
  troupe::machines::write_handles(into, both.carried);
  CHECK(into != said);
  both.carried.clear();
}

TEST_CASE(
  "the lead names the actor by which it serves machines, or is about to "
  "end") {
  both_ends both;
  const auto serves = troupe::actor_system().spawn(
    []() -> caf::behavior { return {[](int value) { return value + 3; }}; });
  both.service = caf::actor_cast<caf::strong_actor_ptr>(serves);
  const auto found = caf::actor_cast<caf::actor>(both.machine.of->service());
  CHECK(found == caf::actor_cast<caf::actor>(both.machine.of->service()));
  caf::scoped_actor self{troupe::actor_system()};
  int answer = 0;
  self->request(found, 10s, 4)
    .receive([&](int value) { answer = value; }, [](const caf::error&) {});
  CHECK(answer == 7);
  both_ends other;
  CHECK_THROWS_AS(static_cast<void>(other.machine.of->service()),
                  troupe::machine_lost);
}

TEST_CASE("an actor is let go of when the other end has no handle any more") {
  both_ends both;
  caf::scoped_actor self{troupe::actor_system()};
  {
    const auto far = both.far();
    self->monitor(far);
  }
  bool unreachable = false;
  self->receive(
    [&](const caf::down_msg& down) {
      unreachable = down.reason == caf::exit_reason::unreachable;
    },
    caf::after(10s) >> [] {});
  CHECK(unreachable);
}

TEST_CASE("when the connection is lost requests, monitors and orders fail with "
          "machine_lost") {
  both_ends both;
  const auto far = both.far();
  caf::scoped_actor self{troupe::actor_system()};
  self->monitor(far);
  both.lead.other = nullptr;
  auto waits = self->request(far, 10s, 4);
  both.lead.of->lose("the cable is cut");
  troupe::errc code{};
  waits.receive([](int) {},
                [&](const caf::error& why) {
                  code = troupe::transport::code_of(why);
                });
  CHECK(code == troupe::errc::machine_lost);
  bool down = false;
  self->receive(
    [&](const caf::down_msg& told) {
      down = troupe::transport::code_of(told.reason)
             == troupe::errc::machine_lost;
    },
    caf::after(10s) >> [] {});
  CHECK(down);
  CHECK_THROWS_AS(static_cast<void>(both.lead.of->spawn({}, {})),
                  troupe::machine_lost);
}

TEST_CASE("a message that names an actor by itself is answered with "
          "malformed_bytes: who has the key reaches what it was told of, and "
          "nobody else") {
  both_ends both;
  const auto far = both.far();
  caf::scoped_actor self{troupe::actor_system()};
  const auto before = troupe::dead_letters();
  both.lead.other = nullptr;
  auto waits = self->request(far, 10s, far);
  auto forged = both.lead.said.back();
  // The table of handles, which is last, is left out: the bytes stay a handle
  // of this run.
  constexpr std::size_t one_handle = 16;
  constexpr std::size_t count_of_handles = 2 + 28;
  forged.resize(forged.size() - one_handle);
  forged[count_of_handles] = std::byte{0};
  both.lead.other = both.machine.of;
  both.machine.of->take(as_payload(forged));
  troupe::errc code{};
  waits.receive([](const caf::actor&) {},
                [&](const caf::error& why) {
                  code = troupe::transport::code_of(why);
                });
  CHECK(code == troupe::errc::malformed_bytes);
  CHECK(troupe::dead_letters() == before + 1);
}

TEST_CASE("an end that knows other message types is told so for each request") {
  both_ends both;
  const auto far = both.far();
  caf::scoped_actor self{troupe::actor_system()};
  troupe::bytes other_types{static_cast<std::byte>(
                              troupe::machines::message_kind::actors),
                            static_cast<std::byte>(actor_frame::types)};
  const auto packed = troupe::codec::encode(std::uint64_t{1});
  const auto body = packed.body();
  other_types.insert(other_types.end(), body.begin(), body.end());
  both.machine.of->take(as_payload(other_types));
  troupe::errc code{};
  self->request(far, 10s, 4)
    .receive([](int) {},
             [&](const caf::error& why) {
               code = troupe::transport::code_of(why);
             });
  CHECK(code == troupe::errc::unknown_message_type);
}

TEST_CASE("whatever comes of actors is taken or malformed, and nothing worse") {
  both_ends both;
  const auto far = both.far();
  caf::scoped_actor self{troupe::actor_system()};
  self->request(far, 10s, far)
    .receive([](const caf::actor&) {}, [](const caf::error&) {});
  self->request(far, 10s, 4).receive([](int) {}, [](const caf::error&) {});
  std::vector<std::vector<std::uint8_t>> right;
  for (auto* each : {&both.lead, &both.machine}) {
    const std::scoped_lock guard{each->mutex};
    for (const auto& message : each->said)
      right.push_back(as_input(message));
  }
  REQUIRE(right.size() >= 6);
  both.lead.other = nullptr;
  both.machine.other = nullptr;
  end stranger;
  stranger.make({.makes = [](const troupe::machines::spawn_order&,
                             const std::vector<caf::strong_actor_ptr>&) {},
                 .takes = [](const troupe::bytes&,
                             const troupe::machines::placed_actors&) {}});
  const auto feed = [](gateway& to, const std::vector<std::uint8_t>& input) {
    try {
      to.take(as_payload(as_bytes(input)));
      return true;
    } catch (const troupe::malformed_bytes&) {
      return false;
    }
  };
  const auto refused = refused_of_changed(right, [&](const auto& input) {
    const auto fine = feed(*stranger.of, input);
    static_cast<void>(feed(*both.machine.of, input));
    return fine;
  });
  CHECK(refused > 5'000);
  for (const auto& each : right)
    for (std::size_t size = 2; size < each.size(); ++size)
      static_cast<void>(
        feed(*stranger.of,
             {each.begin(), each.begin() + static_cast<std::ptrdiff_t>(size)}));
  stranger.of->lose("the test is over");
}
