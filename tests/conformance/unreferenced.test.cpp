// SPDX-License-Identifier: BSL-1.0

// As in CAF, an actor to which nobody refers any more ends; in whatever
// processes those were.

#include "players.hpp"

#include <troupe/channel/queue.hpp>
#include <troupe/process/future.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/names.hpp>
#include <troupe/transport/node.hpp>

#include <support/eventually.hpp>
#include <support/passed.hpp>

#include <csignal>

using namespace conformance;

namespace {

/// A monitor of `actor`, which keeps nothing alive.
class watcher {
public:
  explicit watcher(const caf::actor& actor) {
    self_->monitor(actor);
  }

  /// The reason of the end; `exit_reason::out_of_workers` if it does not come.
  caf::error ended() {
    caf::error reason = caf::exit_reason::out_of_workers;
    self_->receive([&](const caf::down_msg& down) { reason = down.reason; },
                   caf::after(patience) >> [] {});
    return reason;
  }

  /// Whether it has ended by now, as far as this process knows.
  bool has_ended() {
    bool ended = false;
    self_->receive([&](const caf::down_msg&) { ended = true; },
                   caf::after(0ms) >> [] {});
    return ended;
  }

private:
  caf::scoped_actor self_{troupe::actor_system()};
};

std::int32_t ask_pid(const caf::actor& whom) {
  caf::scoped_actor self{troupe::actor_system()};
  return ask<std::int32_t>(self, whom, pid_atom_v);
}

/// Everything that was said before has arrived, and what follows from it.
void settle(const caf::actor& with) {
  for (int round = 0; round < 3; ++round)
    static_cast<void>(ask_pid(with));
}

std::int32_t ask_given(const caf::actor& whom) {
  return ask_pid(whom);
}

std::int32_t ask_from(const troupe::queue<caf::actor>& handles) {
  return ask_pid(handles.get());
}

void stop(const caf::actor& whom) {
  caf::anon_send_exit(whom, caf::exit_reason::user_shutdown);
}

} // namespace

TEST_CASE("an actor to which nobody refers any more ends, and says so") {
  EACH_PLACE(where) {
    auto actor = spawn_at<player>(where);
    watcher seen{actor};
    CHECK(ask_pid(actor) != 0);
    actor = nullptr;
    CHECK(seen.ended() == caf::exit_reason::unreachable);
  }
}

TEST_CASE("an actor whose handle is dropped at once still gets its messages") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    self->send(spawn_at<player>(where), to_atom_v,
               caf::actor_cast<caf::actor>(self), pid_atom_v);
    self->send(spawn_at<player>(where), echo_atom_v, std::int32_t{7});
    self
      ->request(spawn_at<player>(where), patience, echo_atom_v, std::int32_t{8})
      .receive([](std::int32_t x) { CHECK(x == 8); },
               [](caf::error& why) { FAIL(to_string(why)); });
  }
}

TEST_CASE("an actor lives as long as another actor has its handle") {
  EACH_PLACE(where) {
    const auto keeper = spawn_at<player>(where);
    auto kept = spawn_at<player>(where);
    watcher seen{kept};
    caf::scoped_actor self{troupe::actor_system()};
    CHECK(ask<bool>(self, keeper, make_atom_v, kept));
    kept = nullptr;
    settle(keeper);
    CHECK(ask<std::int32_t>(self, keeper, to_atom_v, pid_atom_v) != 0);
    CHECK(!seen.has_ended());
    CHECK(ask<bool>(self, keeper, make_atom_v, caf::actor{}));
    CHECK(seen.ended() == caf::exit_reason::unreachable);
    stop(keeper);
  }
}

TEST_CASE("an actor at home that only another process refers to lives on") {
  for (const auto where : places()) {
    if (where == place::here)
      continue;
    const auto keeper = spawn_at<player>(where);
    auto kept = troupe::spawn<player>(troupe::placement::here);
    watcher seen{kept};
    caf::scoped_actor self{troupe::actor_system()};
    CHECK(ask<bool>(self, keeper, make_atom_v, kept));
    kept = nullptr;
    settle(keeper);
    CHECK(!seen.has_ended());
    SUBCASE("until that lets go of it") {
      CHECK(ask<bool>(self, keeper, make_atom_v, caf::actor{}));
      stop(keeper);
    }
    SUBCASE("until the other's end") {
      stop(keeper);
    }
    CHECK(seen.ended() == caf::exit_reason::unreachable);
  }
}

TEST_CASE("a handle that goes through three processes keeps its actor") {
  EACH_PLACE(where) {
    const auto first = spawn_at<player>(where);
    const auto last = spawn_at<player>(where);
    auto kept = spawn_at<player>(where);
    watcher seen{kept};
    caf::scoped_actor self{troupe::actor_system()};
    // `first` passes it on and keeps nothing.
    CHECK(ask<bool>(self, first, to_atom_v, last, kept));
    kept = nullptr;
    settle(first);
    settle(last);
    CHECK(!seen.has_ended());
    CHECK(ask<std::int32_t>(self, last, to_atom_v, pid_atom_v) != 0);
    stop(last);
    CHECK(seen.ended() == caf::exit_reason::unreachable);
    stop(first);
  }
}

TEST_CASE("a monitor and a link keep no actor alive") {
  EACH_PLACE(where) {
    const auto other = spawn_at<player>(where);
    auto actor = spawn_at<player>(where);
    watcher seen{actor};
    watcher linked{other};
    caf::scoped_actor self{troupe::actor_system()};
    CHECK(ask<bool>(self, other, bind_atom_v, actor));
    actor = nullptr;
    CHECK(seen.ended() == caf::exit_reason::unreachable);
    CHECK(linked.ended() == caf::exit_reason::unreachable);
  }
}

TEST_CASE("actors that come and go leave nothing in the processes that knew "
          "them") {
  NOT_ON_MACHINES(home);
  auto& own = troupe::transport::node::require();
  const auto other = troupe::spawn<player>();
  caf::scoped_actor self{troupe::actor_system()};
  const auto known = [&] { return own.exported()->size(); };
  CHECK(ask<std::int32_t>(self, other, pid_atom_v) != 0);
  const auto before = known();
  for (int turn = 0; turn < 200; ++turn) {
    const auto made = troupe::spawn<player>(troupe::placement::here);
    CHECK(ask<caf::actor>(self, other, echo_atom_v, made) == made);
  }
  CHECK(troupe::test::eventually([&] { return known() <= before; }));
  stop(other);
}

TEST_CASE("the death of who held the last handle ends the actor") {
  NOT_ON_MACHINES(children);
  auto kept = troupe::spawn<player>(troupe::placement::here);
  watcher seen{kept};
  auto child = troupe::start(
    [](const caf::actor& whom) {
      static_cast<void>(ask_pid(whom));
      ::raise(SIGKILL);
    },
    kept);
  static_cast<void>(child.join());
  CHECK(!seen.has_ended());
  kept = nullptr;
  CHECK(seen.ended() == caf::exit_reason::unreachable);
}

TEST_CASE("a handle in an argument or in a queue keeps its actor") {
  NOT_ON_MACHINES(memory);
  auto actor = troupe::spawn<player>();
  watcher seen{actor};
  auto asked = troupe::async<ask_given>(actor);
  troupe::queue<caf::actor> handles;
  handles.put(actor);
  actor = nullptr;
  const auto pid = asked.get();
  CHECK(pid != 0);
  CHECK(!seen.has_ended());
  CHECK(troupe::async<ask_from>(handles).get() == pid);
  CHECK(seen.ended() == caf::exit_reason::unreachable);
}

TEST_CASE("a name keeps its actor until it is taken away") {
  EACH_PLACE(where) {
    auto actor = spawn_at<player>(where);
    watcher seen{actor};
    troupe::names::set("unreferenced", actor);
    actor = nullptr;
    const auto found = [] { return troupe::names::find("unreferenced"); };
    const auto pid = ask_pid(found().value());
    CHECK(!seen.has_ended());
    CHECK(ask_pid(found().value()) == pid);
    CHECK(troupe::names::erase("unreferenced"));
    CHECK(seen.ended() == caf::exit_reason::unreachable);
  }
}

TEST_CASE("who has found an actor by its name keeps it when the name goes") {
  EACH_PLACE(where) {
    const auto finder
      = spawn_at<player>(where == place::here ? place::own_process : where);
    auto actor = spawn_at<player>(where);
    watcher seen{actor};
    troupe::names::set("unreferenced", actor);
    actor = nullptr;
    auto found = troupe::names::find("unreferenced").value();
    CHECK(troupe::names::erase("unreferenced"));
    settle(finder);
    CHECK(ask_pid(found) != 0);
    CHECK(!seen.has_ended());
    found = nullptr;
    CHECK(seen.ended() == caf::exit_reason::unreachable);
    stop(finder);
  }
}
