// SPDX-License-Identifier: BSL-1.0

// A process that talks to hundreds of others which come and go keeps nothing of
// those that are gone.

#include <troupe/memory/run_memory.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/node_name.hpp>

#include <support/eventually.hpp>
#include <support/living_bytes.hpp>
#include <support/sanitized.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <malloc.h>

namespace {

using namespace std::chrono_literals;
using troupe::test::eventually;

constexpr auto patience = 60s;

/// Lives in the observed process: whoever greets it is told of its end, is
/// linked to it, and keeps its handle.
caf::behavior service(caf::event_based_actor* self) {
  self->set_exit_handler([](const caf::exit_msg&) {});
  return {[](std::int32_t x) { return x + 1; }};
}

/// Lives in a process of its own, and does with the service what can be done:
/// monitors, links, a request that is answered, one that never is.
caf::behavior visitor(caf::event_based_actor* self, const caf::actor& whom) {
  return {
    [=](std::int32_t x) {
      self->monitor(whom);
      self->link_to(whom);
      return self->delegate(whom, x);
    },
    [=](caf::get_atom) { return self->make_response_promise<std::int32_t>(); },
    [=](caf::close_atom) { self->quit(); },
  };
}

/// What the process holds for others.
struct holdings {
  std::size_t peers = 0;
  std::size_t requests = 0;
  std::size_t watches = 0;
  std::size_t exported = 0;
  std::uint64_t run_bytes = 0;
  std::uint64_t heap_bytes = 0;

  static holdings now() {
    auto& own = troupe::transport::node::require();
    return {own.peers().size(),           own.requests().size(),
            own.exported()->holders(),    own.exported()->size(),
            troupe::test::living_bytes(), ::mallinfo2().uordblks};
  }
};

void visit(caf::scoped_actor& self, const caf::actor& whom, bool killed) {
  const auto one = troupe::spawn<visitor>(whom);
  self->request(one, patience, std::int32_t{1})
    .receive([](std::int32_t x) { CHECK(x == 2); },
             [](const caf::error& why) { FAIL(to_string(why)); });
  self->monitor(one);
  if (killed)
    troupe::process_view{*troupe::transport::process_of(one->node())}.kill();
  else
    self->send(one, caf::close_atom_v);
  self->receive([&](const caf::down_msg& down) { CHECK(down.source == one); });
}

void visit_often(caf::scoped_actor& self, const caf::actor& whom, int times) {
  for (int i = 0; i < times; ++i)
    visit(self, whom, i % 4 == 0);
  auto& own = troupe::transport::node::require();
  // The end of the last process comes a moment after that of its actor.
  // So does what follows from it.
  REQUIRE(eventually(
    [&] { return own.peers().empty() && own.exported()->holders() == 0; },
    patience));
}

} // namespace

TEST_CASE("of hundreds of processes that have come and gone nothing is kept") {
  caf::scoped_actor self{troupe::actor_system()};
  const auto whom = troupe::spawn<service>(troupe::placement::here);
  constexpr int times = troupe::test::sanitized ? 100 : 300;
  // The reasons of its own actors that have ended are as many as there may be.
  auto& ends = troupe::transport::node::require().ends();
  for (std::size_t i = 0; i < ends.most_remembered; ++i)
    ends.end(1'000'000 + i, {});
  visit_often(self, whom, 30);
  const auto before = holdings::now();
  visit_often(self, whom, times);
  const auto after = holdings::now();
  CHECK(after.peers == before.peers);
  CHECK(after.requests == before.requests);
  CHECK(after.watches == 0);
  CHECK(after.exported == before.exported);
  CHECK(after.run_bytes <= before.run_bytes + 4096);
  MESSAGE("heap: " << before.heap_bytes << ", after " << times
                   << " processes more " << after.heap_bytes);
  if (!troupe::test::sanitized)
    CHECK(after.heap_bytes <= before.heap_bytes + 16'384);
  self->send_exit(whom, caf::exit_reason::kill);
}
