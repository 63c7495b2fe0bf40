// SPDX-License-Identifier: BSL-1.0

// Requests that are passed on, over several processes and within them: they
// fail with whoever would have answered, and with nobody else.

#include "players.hpp"

#include <troupe/runtime/host.hpp>
#include <troupe/transport/node.hpp>

#include <support/eventually.hpp>

#include <atomic>
#include <memory>
#include <vector>

using namespace conformance;
using troupe::errc;
using troupe::test::eventually;
using troupe::transport::code_of;

namespace {

/// Keeps what it is asked until it is told to answer, and tells how many it
/// has.
caf::behavior holder(caf::event_based_actor* self) {
  auto kept = std::make_shared<std::vector<caf::response_promise>>();
  return {
    [=](std::int32_t) {
      kept->push_back(self->make_response_promise());
      return kept->back();
    },
    [=](count_atom) { return static_cast<std::int32_t>(kept->size()); },
    [=](caf::put_atom, std::int32_t answer) {
      for (auto& each : *kept)
        each.deliver(answer);
    },
    [=](quit_atom) { self->quit(); },
  };
}

/// Passes requests on: `inside` times to an actor of its own process, and then
/// to `next`.
caf::behavior hop(caf::event_based_actor* self, const caf::actor& next,
                  std::int32_t inside) {
  const auto to
    = inside == 0 ? next : self->spawn(hop, next, std::int32_t{inside - 1});
  return {[=](std::int32_t x) { return self->delegate(to, x); }};
}

/// Passes a request on to each of two: the first answer counts.
caf::behavior to_both(caf::event_based_actor* self, const caf::actor& a,
                      const caf::actor& b) {
  auto kept = std::make_shared<std::vector<caf::response_promise>>();
  return {[=](std::int32_t x) {
    const auto asker = self->current_sender();
    const auto id = self->current_mailbox_element()->mid;
    for (const auto& each : {a, b})
      each->enqueue(asker, id, caf::make_message(x), nullptr);
    kept->push_back(self->make_response_promise());
    return kept->back();
  }};
}

/// A request that is under way, and what came of it.
struct request {
  explicit request(const caf::actor& to) {
    asker
      = troupe::actor_system().spawn([to, this](caf::event_based_actor* self) {
          self->request(to, caf::infinite, std::int32_t{1})
            .then([this](std::int32_t x) { answer = x; },
                  [this](const caf::error& why) {
                    failure = code_of(why);
                    failed = true;
                  });
          return caf::behavior{[](quit_atom) {}};
        });
  }
  request(const request&) = delete;
  request& operator=(const request&) = delete;
  ~request() {
    caf::scoped_actor self{troupe::actor_system()};
    self->send_exit(asker, caf::exit_reason::user_shutdown);
    self->wait_for(asker);
  }

  [[nodiscard]] bool is_open() const {
    return answer == 0 && !failed;
  }

  std::atomic<std::int32_t> answer{0};
  std::atomic<errc> failure{errc::none};
  std::atomic<bool> failed{false};
  caf::actor asker;
};

/// A chain of processes, the last of which holds the request.
struct chain {
  chain(std::size_t hops, std::int32_t inside) : hosts(hops + 1) {
    last = hosts[hops].spawn<holder>();
    first = last;
    for (std::size_t i = hops; i-- != 0;)
      first = hosts[i].spawn<hop>(first, inside);
  }

  [[nodiscard]] bool has_arrived(caf::scoped_actor& self) const {
    return eventually(
      [&] { return ask<std::int32_t>(self, last, count_atom_v) == 1; });
  }

  std::vector<troupe::host> hosts;
  caf::actor last;
  caf::actor first;
};

/// Whoever has heard of a death of `host` answers after it.
void await_death(caf::scoped_actor& self, troupe::host& host,
                 const caf::actor& one_of_it) {
  host.kill();
  static_cast<void>(await_down(self, one_of_it));
}

} // namespace

TEST_CASE("over any number of hops a request fails with its last holder") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  for (const std::size_t hops : {1, 2, 3, 5})
    for (const std::int32_t inside : {0, 2})
      for (int round = 0; round < 4; ++round) {
        CAPTURE(hops);
        CAPTURE(inside);
        chain through{hops, inside};
        const request asked{through.first};
        // In one round the holder dies while the request is under way.
        if (round != 0)
          REQUIRE(through.has_arrived(self));
        through.hosts.back().kill();
        CHECK(eventually([&] { return asked.failed.load(); }));
        CHECK(asked.answer == 0);
      }
  CHECK(eventually(
    [] { return troupe::transport::node::require().requests().size() == 0; }));
}

TEST_CASE("over any number of hops the death of those before harms nobody") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  for (const std::size_t hops : {1, 2, 3, 5})
    for (int round = 0; round < 4; ++round) {
      CAPTURE(hops);
      chain through{hops, round % 2};
      const request asked{through.first};
      REQUIRE(through.has_arrived(self));
      std::vector<caf::actor> witnesses;
      for (std::size_t i = 0; i < hops; ++i) {
        // The order of the deaths does not matter either.
        const auto which = round < 2 ? i : hops - 1 - i;
        const auto witness = through.hosts[which].spawn<player>();
        await_death(self, through.hosts[which], witness);
      }
      CHECK(asked.is_open());
      self->send(through.last, caf::put_atom_v, std::int32_t{7});
      CHECK(eventually([&] { return asked.answer == 7; }));
      CHECK(!asked.failed);
    }
}

TEST_CASE(
  "a request that came back to the asker's process waits for it alone") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  for (const std::size_t hops : {1, 2, 3}) {
    std::vector<troupe::host> hosts(hops);
    const auto last = troupe::spawn<holder>(troupe::placement::here);
    auto first = last;
    for (auto& each : hosts)
      first = each.spawn<hop>(first, std::int32_t{0});
    const request asked{first};
    REQUIRE(eventually(
      [&] { return ask<std::int32_t>(self, last, count_atom_v) == 1; }));
    for (auto& each : hosts) {
      const auto witness = each.spawn<player>();
      await_death(self, each, witness);
    }
    CHECK(asked.is_open());
    self->send(last, caf::put_atom_v, std::int32_t{8});
    CHECK(eventually([&] { return asked.answer == 8; }));
    caf::anon_send(last, quit_atom_v);
  }
}

TEST_CASE("and goes out again, and fails with whoever has it then") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  for (const bool holder_dies : {true, false}) {
    std::vector<troupe::host> hosts(4);
    const auto last = hosts[3].spawn<holder>();
    const auto out = troupe::spawn<hop>(troupe::placement::here, last,
                                        std::int32_t{0});
    auto first = out;
    for (std::size_t i = 0; i < 3; ++i)
      first = hosts[i].spawn<hop>(first, std::int32_t{0});
    const request asked{first};
    REQUIRE(eventually(
      [&] { return ask<std::int32_t>(self, last, count_atom_v) == 1; }));
    for (std::size_t i = 0; i < 3; ++i) {
      const auto witness = hosts[i].spawn<player>();
      await_death(self, hosts[i], witness);
    }
    CHECK(asked.is_open());
    if (holder_dies) {
      hosts[3].kill();
      CHECK(eventually([&] { return asked.failed.load(); }));
      CHECK(asked.failure == errc::peer_died);
    } else {
      self->send(last, caf::put_atom_v, std::int32_t{9});
      CHECK(eventually([&] { return asked.answer == 9; }));
    }
    caf::anon_send_exit(out, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("a request that two have fails when both are dead, and not before") {
  caf::scoped_actor self{troupe::actor_system()};
  EACH_PLACE(where) {
    std::vector<troupe::host> hosts(2);
    const auto a = hosts[0].spawn<holder>();
    const auto b = hosts[1].spawn<holder>();
    const auto router = spawn_at<to_both>(where, a, b);
    const request asked{router};
    for (const auto& each : {a, b})
      REQUIRE(eventually(
        [&] { return ask<std::int32_t>(self, each, count_atom_v) == 1; }));
    await_death(self, hosts[1], b);
    CHECK(asked.is_open());
    hosts[0].kill();
    CHECK(eventually([&] { return asked.failed.load(); }));
    caf::anon_send_exit(router, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("a request that was passed on to an actor that has ended fails") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  for (const std::size_t hops : {1, 2, 3}) {
    chain through{hops, 0};
    caf::anon_send(through.last, quit_atom_v);
    static_cast<void>(await_down(self, through.last));
    const request asked{through.first};
    CHECK(eventually([&] { return asked.failed.load(); }));
  }
}
