// SPDX-License-Identifier: BSL-1.0

// Kills processes whose actors talk: at each named point of the transport, as
// sender and as receiver, and at random instants. Whatever happens, those who
// live hear of it, get what was published before, in order and without a gap,
// and go on.

#include <troupe/channel/queue.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/runtime/names.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/bundle.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/node.hpp>

#include <support/eventually.hpp>
#include <support/sleeping.hpp>
#include <support/stopped.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;

/// Every 50th message is large enough to need pieces or another ring.
std::string load_of(std::int32_t number) {
  const auto size = number % 50 == 49
                      ? (number % 100 == 99 ? 3'000'000 : 40'000)
                      : number % 300;
  return std::string(static_cast<std::size_t>(size),
                     static_cast<char>('a' + number % 26));
}

/// Arms a crash point in its process, then sends as many numbered messages as
/// it is told to whoever it is told of; and swallows what it gets. Told only
/// how many, it sends bare numbers and kills its process.
caf::behavior victim(caf::event_based_actor* self) {
  const auto kept = std::make_shared<troupe::bundle>();
  return {
    [](caf::add_atom, const std::string& point, std::uint32_t countdown) {
      troupe::os::arm_crash_point(point, countdown);
      return caf::ok_atom_v;
    },
    [self](caf::put_atom, std::int32_t first, std::int32_t count,
           const caf::actor& to) {
      for (auto number = first; number < first + count; ++number)
        self->send(to, number, load_of(number));
    },
    [self](caf::put_atom, std::int32_t count, const caf::actor& to) {
      for (std::int32_t number = 0; number < count; ++number)
        self->send(to, number);
      ::raise(SIGKILL);
    },
    [](std::int32_t number, const std::string&) { return number; },
    // Keeps a queue, tells where, and gives it away.
    [kept](caf::get_atom) -> std::uint64_t {
      *kept = troupe::bundle::of(troupe::queue<int>{});
      return kept->objects()[0].id();
    },
    [self, kept](caf::get_atom, const caf::actor& to) {
      self->send(to, caf::put_atom_v, std::exchange(*kept, {}));
    },
    [](caf::put_atom, const troupe::bundle&) {},
    [](caf::update_atom, const std::string& name, const caf::actor& who) {
      troupe::names::set(name, who);
      return caf::ok_atom_v;
    },
  };
}

/// Checks that numbers come without a gap and contents whole, and that nothing
/// comes after the death of who sends them.
caf::behavior checker(caf::event_based_actor* self) {
  struct notes {
    std::int32_t next = 0;
    std::int32_t wrong = 0;
    /// How many had come when the death was told; -1 before.
    std::int32_t at_death = -1;
  };
  auto seen = std::make_shared<notes>();
  self->set_down_handler(
    [seen](const caf::down_msg&) { seen->at_death = seen->next; });
  const auto note = [seen](std::int32_t number, bool whole) {
    if (number != seen->next || !whole || seen->at_death != -1)
      ++seen->wrong;
    seen->next = number + 1;
  };
  return {
    [=](std::int32_t number, const std::string& load) {
      note(number, load == load_of(number));
    },
    [=](std::int32_t number) { note(number, true); },
    [self](caf::join_atom, const caf::actor& sender) {
      self->monitor(sender);
      return std::int32_t{0};
    },
    [seen](caf::get_atom) { return seen->next; },
    [seen](caf::sub_atom) { return seen->wrong; },
    [seen](caf::leave_atom) { return seen->at_death; },
  };
}

std::int32_t ask(caf::scoped_actor& self, const caf::actor& whom,
                 const auto&... what) {
  std::int32_t result = -1;
  self->request(whom, patience, what...)
    .receive([&](std::int32_t x) { result = x; },
             [](caf::error& why) { FAIL(to_string(why)); });
  return result;
}

/// Waits until `actor` is dead; false if that does not come.
bool dies(caf::scoped_actor& self, const caf::actor& actor) {
  self->monitor(actor);
  bool dead = false;
  self->receive(
    [&](const caf::down_msg& down) {
      dead = troupe::transport::code_of(down.reason) == troupe::errc::peer_died;
      CAPTURE(to_string(down.reason));
      CHECK(dead);
    },
    caf::after(patience) >> [] {});
  return dead;
}

/// An actor in another process still answers one in this.
bool goes_on(caf::scoped_actor& self, const caf::actor& witness) {
  bool answered = false;
  self->request(witness, patience, std::int32_t{5}, std::string{"still there"})
    .receive([&](std::int32_t) { answered = true; }, [](caf::error&) {});
  return answered;
}

bool arm(caf::scoped_actor& self, const caf::actor& whom,
         const std::string& point, std::uint32_t countdown) {
  bool armed = false;
  self->request(whom, patience, caf::add_atom_v, point, countdown)
    .receive([&](caf::ok_atom) { armed = true; }, [](caf::error&) {});
  return armed;
}

/// Passes requests on.
caf::behavior hop(caf::event_based_actor* self, const caf::actor& next) {
  return {[=](std::int32_t x) { return self->delegate(next, x); }};
}

/// Answers when it is told to.
caf::behavior late_answerer(caf::event_based_actor* self) {
  const auto kept = std::make_shared<std::vector<caf::response_promise>>();
  return {
    [=](std::int32_t) {
      kept->push_back(self->make_response_promise());
      return kept->back();
    },
    [=](caf::put_atom) {
      for (auto& each : *kept)
        each.deliver(std::int32_t{6});
    },
    [=](caf::get_atom) { return static_cast<std::int32_t>(kept->size()); },
  };
}

/// A request of this process and what came of it: 0 for nothing yet.
struct open_request {
  explicit open_request(const caf::actor& to)
    : asker(
        troupe::actor_system().spawn([to, this](caf::event_based_actor* self) {
          self->request(to, caf::infinite, std::int32_t{1})
            .then([this](std::int32_t x) { outcome = x; },
                  [this](const caf::error& why) {
                    outcome = troupe::transport::code_of(why)
                                  == troupe::errc::peer_died
                                ? -1
                                : -2;
                  });
          sent.set_value();
          return caf::behavior{[](caf::close_atom) {}};
        })) {
    // What this thread sends from now on comes after the request.
    sent.get_future().wait();
  }
  open_request(const open_request&) = delete;
  open_request& operator=(const open_request&) = delete;
  ~open_request() {
    caf::scoped_actor self{troupe::actor_system()};
    self->send_exit(asker, caf::exit_reason::kill);
    self->wait_for(asker);
  }

  [[nodiscard]] bool comes_to(std::int32_t what) const {
    return troupe::test::eventually([&] { return outcome == what; }, patience);
  }

  std::atomic<std::int32_t> outcome{0};
  std::promise<void> sent;
  caf::actor asker;
};

} // namespace

TEST_CASE(
  "a request is lost with a process that is killed before it has passed "
  "it on") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host holder{"holder"};
  const auto last = holder.spawn<late_answerer>();
  const auto witness = holder.spawn<victim>();
  for (const bool middle : {false, true}) {
    CAPTURE(middle);
    troupe::host doomed{"doomed"};
    troupe::host before{"before"};
    const auto armed = doomed.spawn<victim>();
    const auto passes_on = doomed.spawn<hop>(last);
    const auto first = middle ? before.spawn<hop>(passes_on) : passes_on;
    // It has said that it passes the request on, and has not done it.
    CHECK(arm(self, armed, "transport.request.announced", 1));
    const open_request asked{first};
    CHECK(dies(self, armed));
    CHECK(asked.comes_to(-1));
    CHECK(goes_on(self, witness));
  }
}

TEST_CASE("a request that was passed on lives, though its reader is late and "
          "the process before it dead") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host holder{"holder"};
  const auto witness = holder.spawn<victim>();
  int lived = 0;
  int lost = 0;
  // Killed before the request is in the ring, somewhere around that, and after
  // all is.
  struct moment {
    std::string point;
    std::uint32_t countdown;
  };
  std::vector<moment> moments{{"transport.control.written", 1},
                              {"transport.control.published", 1},
                              {"transport.send.published", 21}};
  for (std::uint32_t countdown = 1; countdown <= 8; ++countdown)
    moments.push_back({"transport.send.published", countdown});
  for (const auto& [point, countdown] : moments) {
    CAPTURE(point);
    CAPTURE(countdown);
    troupe::host doomed{"doomed"};
    const auto last = holder.spawn<late_answerer>();
    const auto armed = doomed.spawn<victim>();
    const auto passes_on = doomed.spawn<hop>(last);
    // Both processes have talked to each other before.
    self->send(armed, caf::put_atom_v, 0, 1, witness);
    CHECK(goes_on(self, armed));
    REQUIRE(troupe::test::stop(holder.pid()));
    caf::anon_send(armed, caf::add_atom_v, point, countdown);
    const open_request asked{passes_on};
    // Has it send more, and die of that.
    const auto judge = troupe::spawn<checker>(troupe::placement::here);
    caf::anon_send(armed, caf::put_atom_v, 0, 20, judge);
    CHECK(dies(self, armed));
    troupe::test::go_on(holder.pid());
    const auto has = [&] { return ask(self, last, caf::get_atom_v); };
    CHECK(troupe::test::eventually(
      [&] { return asked.outcome != 0 || has() == 1; }, patience));
    if (asked.outcome == 0) {
      ++lived;
      self->send(last, caf::put_atom_v);
      CHECK(asked.comes_to(6));
    } else {
      ++lost;
      CHECK(asked.outcome == -1);
      CHECK(has() == 0);
    }
    caf::anon_send_exit(judge, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(last, caf::exit_reason::user_shutdown);
  }
  CHECK(lived > 0);
  CHECK(lost > 0);
}

TEST_CASE("a request is lost with a process that is killed when it gets it") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host between{"between"};
  troupe::host doomed{"doomed"};
  const auto armed = doomed.spawn<victim>();
  const auto last = doomed.spawn<late_answerer>();
  const auto first = between.spawn<hop>(last);
  CHECK(arm(self, armed, "transport.request.arrived", 1));
  const open_request asked{first};
  CHECK(dies(self, armed));
  CHECK(asked.comes_to(-1));
}

TEST_CASE("a sender killed at any point of sending leaves whole messages") {
  /// Where it dies, and how many messages are published before that.
  struct moment {
    std::string point;
    std::uint32_t countdown;
    std::int32_t published;
  };
  // The three before the point is armed always count. Before number 49 the ring
  // moves, and 99 and 199 come in three pieces each: those frames count as
  // well.
  const moment moments[] = {
    {"transport.send.written", 1, 3},    {"transport.send.written", 2, 4},
    {"transport.send.written", 7, 9},    {"transport.send.written", 150, 149},
    {"transport.send.published", 1, 4},  {"transport.send.published", 2, 5},
    {"transport.send.published", 7, 10}, {"transport.send.published", 150, 150},
    {"transport.send.piece", 1, 99},     {"transport.send.piece", 2, 99},
    {"transport.send.piece", 7, 299},    {"transport.ring.moved", 1, 49},
    {"transport.ring.kept", 1, 49}};
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"witness"};
  const auto witness = house.spawn<victim>();
  for (const auto& each : moments) {
    CAPTURE(each.point);
    CAPTURE(each.countdown);
    troupe::host doomed{"doomed"};
    const auto sender = doomed.spawn<victim>();
    const auto judge = troupe::spawn<checker>(troupe::placement::here);
    CHECK(ask(self, judge, caf::join_atom_v, sender) == 0);
    // Armed by a message without an answer: the point may be in the answer.
    caf::anon_send(sender, caf::put_atom_v, 0, 3, judge);
    caf::anon_send(sender, caf::add_atom_v, each.point, each.countdown);
    caf::anon_send(sender, caf::put_atom_v, 3, 400, judge);
    CHECK(dies(self, sender));
    CHECK(troupe::test::eventually(
      [&] { return ask(self, judge, caf::leave_atom_v) != -1; }, patience));
    CHECK(ask(self, judge, caf::leave_atom_v) == each.published);
    CHECK(ask(self, judge, caf::get_atom_v) == each.published);
    CHECK(ask(self, judge, caf::sub_atom_v) == 0);
    CHECK(goes_on(self, witness));
    caf::anon_send_exit(judge, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("what a killed process had sent arrives before its death, however "
          "late it is read") {
  constexpr std::int32_t count = 1000;
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host court{"court"};
  const auto judge = court.spawn<checker>();
  troupe::host doomed{"doomed"};
  const auto sender = doomed.spawn<victim>();
  CHECK(ask(self, judge, caf::join_atom_v, sender) == 0);
  REQUIRE(troupe::test::stop(court.pid()));
  // All of it fits into the ring that its process makes for that.
  self->send(sender, caf::put_atom_v, count, judge);
  CHECK(dies(self, sender));
  troupe::test::go_on(court.pid());
  CHECK(troupe::test::eventually(
    [&] { return ask(self, judge, caf::leave_atom_v) != -1; }, patience));
  CHECK(ask(self, judge, caf::leave_atom_v) == count);
  CHECK(ask(self, judge, caf::get_atom_v) == count);
  CHECK(ask(self, judge, caf::sub_atom_v) == 0);
}

TEST_CASE("a sender killed while it makes its ring disturbs nobody") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"witness"};
  const auto witness = house.spawn<victim>();
  for (const std::string point :
       {"transport.ring.made", "transport.ring.announced"}) {
    CAPTURE(point);
    troupe::host doomed{"doomed"};
    const auto sender = doomed.spawn<victim>();
    CHECK(arm(self, sender, point, 1));
    // Its first message to the witness's process makes a ring.
    self->send(sender, caf::put_atom_v, 0, 1, witness);
    CHECK(dies(self, sender));
    CHECK(goes_on(self, witness));
  }
}

TEST_CASE("a process killed while it reclaims another disturbs nobody") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"witness"};
  const auto witness = house.spawn<victim>();
  troupe::host mourner{"mourner"};
  const auto reclaimer = mourner.spawn<victim>();
  troupe::host doomed{"doomed"};
  const auto first = doomed.spawn<victim>();
  // From now on the one knows the other.
  self->send(reclaimer, caf::put_atom_v, 0, 0, first);
  CHECK(arm(self, reclaimer, "transport.hub.reclaiming", 1));
  doomed.kill();
  CHECK(dies(self, first));
  CHECK(dies(self, reclaimer));
  CHECK(goes_on(self, witness));
}

TEST_CASE("a receiver killed in its hub fails its senders, and they go on") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"witness"};
  const auto witness = house.spawn<victim>();
  for (const std::uint32_t countdown : {2U, 3U, 40U, 300U}) {
    CAPTURE(countdown);
    troupe::host doomed{"doomed"};
    const auto receiver = doomed.spawn<victim>();
    // Armed before anything else is taken: the hub may be ahead of the actor.
    CHECK(arm(self, receiver, "transport.hub.taken", countdown));
    for (std::int32_t number = 0; number < 400; ++number)
      self->send(receiver, number, load_of(number));
    CHECK(dies(self, receiver));
    caf::error why;
    self->request(receiver, patience, std::int32_t{1}, std::string{})
      .receive([](std::int32_t) {}, [&](caf::error& e) { why = e; });
    CHECK(troupe::transport::code_of(why) == troupe::errc::peer_died);
    CHECK(goes_on(self, witness));
    // Answers to what was sent are of no interest here.
    while (self->has_next_message())
      self->dequeue();
  }
}

TEST_CASE("a process killed while handles are on the way to it or from it "
          "leaves nothing of them") {
  using troupe::memory::kind_of;
  using troupe::memory::object_kind;
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"witness"};
  const auto witness = house.spawn<victim>();
  const auto is_gone = [](troupe::memory::object_id where) {
    return troupe::test::eventually(
      [&] { return kind_of(where) == object_kind::none; }, patience);
  };
  SUBCASE("to it") {
    for (const std::string point :
         {"transport.handles.attached", "transport.handles.taken"}) {
      CAPTURE(point);
      troupe::host doomed{"doomed"};
      const auto receiver = doomed.spawn<victim>();
      CHECK(arm(self, receiver, point, 1));
      auto what = troupe::bundle::of(troupe::queue<int>{});
      const auto where = what.objects()[0].id();
      self->send(receiver, caf::put_atom_v, std::move(what));
      CHECK(dies(self, receiver));
      CHECK(is_gone(where));
      CHECK(goes_on(self, witness));
    }
  }
  SUBCASE("from it") {
    for (const std::string point :
         {"transport.send.written", "transport.send.published"}) {
      CAPTURE(point);
      troupe::host doomed{"doomed"};
      const auto sender = doomed.spawn<victim>();
      troupe::memory::object_id where = 0;
      self->request(sender, patience, caf::get_atom_v)
        .receive([&](std::uint64_t place) { where = place; },
                 [](const caf::error& why) { FAIL(to_string(why)); });
      CHECK(kind_of(where) == object_kind::queue);
      caf::anon_send(sender, caf::add_atom_v, point, 1U);
      caf::anon_send(sender, caf::get_atom_v, witness);
      CHECK(dies(self, sender));
      CHECK(is_gone(where));
      CHECK(goes_on(self, witness));
    }
  }
}

TEST_CASE("a process killed while it registers a name leaves the table whole") {
  caf::scoped_actor self{troupe::actor_system()};
  const auto own = troupe::spawn<victim>(troupe::placement::here);
  for (const std::string point : {"runtime.name.written", "runtime.name.set"}) {
    CAPTURE(point);
    troupe::host doomed{"doomed"};
    const auto who = doomed.spawn<victim>();
    CHECK(arm(self, who, point, 1));
    self->send(who, caf::update_atom_v, std::string{"contested"}, who);
    CHECK(dies(self, who));
    CHECK(!troupe::names::find("contested"));
    troupe::names::set("contested", own);
    CHECK(troupe::names::find("contested") == own);
    CHECK(troupe::names::erase("contested"));
  }
  caf::anon_send_exit(own, caf::exit_reason::user_shutdown);
}

TEST_CASE("processes that flood each other are killed at random instants") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"witness"};
  const auto witness = house.spawn<victim>();
  std::minstd_rand random{20240607};
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    troupe::host doomed{"doomed"};
    const auto far = doomed.spawn<victim>();
    const auto judge = troupe::spawn<checker>(troupe::placement::here);
    CHECK(ask(self, judge, caf::join_atom_v, far) == 0);
    self->send(far, caf::put_atom_v, 0, 1'000'000, judge);
    for (std::int32_t number = 0; number < 200; ++number)
      self->send(far, number, load_of(number));
    troupe::test::sleep_at_random(random, 20ms);
    doomed.kill();
    CHECK(dies(self, far));
    CHECK(troupe::test::eventually(
      [&] { return ask(self, judge, caf::leave_atom_v) != -1; }, patience));
    CHECK(ask(self, judge, caf::sub_atom_v) == 0);
    if (round % 10 == 0)
      CHECK(goes_on(self, witness));
    while (self->has_next_message())
      self->dequeue();
    caf::anon_send_exit(judge, caf::exit_reason::user_shutdown);
  }
}
