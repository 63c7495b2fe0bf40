// SPDX-License-Identifier: BSL-1.0

// Programs that do what CAF's own examples do, written anew. Each runs with all
// actors in one process, with each actor in a process of its own, and with all
// on another machine, and must print the same. Actors that do not end by
// themselves are told to at the end, and the program waits for that.

#include "players.hpp"

#include <support/eventually.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

using namespace conformance;

namespace {

using lines = std::vector<std::string>;

/// The actors of the program at hand.
std::vector<caf::strong_actor_ptr> cast;

/// Makes one of them.
template <auto F, class... Args>
auto play(place where, Args&&... args) {
  auto made = spawn_at<F>(where, std::forward<Args>(args)...);
  cast.push_back(caf::actor_cast<caf::strong_actor_ptr>(made));
  return made;
}

/// Ends those that have not ended by themselves.
void end_program() {
  const auto all = std::exchange(cast, {});
  for (const auto& each : all)
    caf::anon_send_exit(caf::actor_cast<caf::actor>(each),
                        caf::exit_reason::user_shutdown);
  // Those of a machine are not this run's.
  for (const auto& each : all) {
    caf::scoped_actor self{troupe::actor_system()};
    static_cast<void>(await_down(self, caf::actor_cast<caf::actor>(each)));
  }
  CHECK(troupe::await_actors_for(patience));
}

/// Where a program prints: an actor at home, which the program's actors know.
class paper {
public:
  [[nodiscard]] caf::actor printer() {
    auto made = troupe::actor_system().spawn([this] {
      return caf::behavior{[this](caf::put_atom, const std::string& line) {
        const std::scoped_lock held{mutex_};
        lines_.push_back(line);
      }};
    });
    cast.push_back(caf::actor_cast<caf::strong_actor_ptr>(made));
    return made;
  }

  /// What was printed, once there are so many lines, and the actors have ended.
  [[nodiscard]] lines printed(std::size_t count) {
    CHECK(troupe::test::eventually([&] {
      const std::scoped_lock held{mutex_};
      return lines_.size() >= count;
    }));
    end_program();
    const std::scoped_lock held{mutex_};
    return lines_;
  }

  /// The same where they come in any order.
  [[nodiscard]] lines sorted(std::size_t count) {
    auto result = printed(count);
    std::sort(result.begin(), result.end());
    return result;
  }

private:
  std::mutex mutex_;
  lines lines_;
};

void print(caf::event_based_actor* self, const caf::actor& to,
           const std::string& line) {
  self->send(to, caf::put_atom_v, line);
}

// Hello, world.

caf::behavior mirror() {
  return {[](std::string text) {
    std::reverse(text.begin(), text.end());
    return text;
  }};
}

void hello(caf::event_based_actor* self, const caf::actor& whom,
           const caf::actor& out) {
  self->request(whom, patience, std::string{"Hello World!"})
    .then([self, out](const std::string& answer) { print(self, out, answer); });
}

// A calculator, typed.

using calculator_actor = adder_actor;

calculator_actor::behavior_type calculator() {
  return {
    [](caf::add_atom, std::int32_t x) { return x + x; },
    [](caf::get_atom) { return std::int32_t{42}; },
  };
}

void reckon(caf::event_based_actor* self, const adder_actor& with,
            const caf::actor& out) {
  self->request(with, patience, caf::add_atom_v, std::int32_t{21})
    .then([self, with, out](std::int32_t twice) {
      print(self, out, "twice 21 is " + std::to_string(twice));
      self->request(with, patience, caf::get_atom_v)
        .then([self, out](std::int32_t x) {
          print(self, out, "the answer is " + std::to_string(x));
        });
    });
}

// A cell, asked in CAF's ways.

caf::behavior cell(caf::stateful_actor<std::int32_t>* self,
                   std::int32_t start) {
  self->state = start;
  return {
    [self](caf::put_atom, std::int32_t x) { self->state = x; },
    [self](caf::get_atom) { return self->state; },
  };
}

void ask_and_then(caf::event_based_actor* self,
                  const std::vector<caf::actor>& cells, const caf::actor& out) {
  for (const auto& each : cells)
    self->request(each, patience, caf::get_atom_v)
      .then([self, out](std::int32_t x) {
        print(self, out, "then " + std::to_string(x));
      });
}

void await_answers(caf::event_based_actor* self,
                   const std::vector<caf::actor>& cells,
                   const caf::actor& out) {
  for (const auto& each : cells)
    self->request(each, patience, caf::get_atom_v)
      .await([self, out](std::int32_t x) {
        print(self, out, "await " + std::to_string(x));
      });
}

void receive_answers(caf::blocking_actor* self,
                     const std::vector<caf::actor>& cells,
                     const caf::actor& out) {
  for (const auto& each : cells)
    self->request(each, patience, caf::get_atom_v)
      .receive(
        [&](std::int32_t x) {
          self->send(out, caf::put_atom_v, "receive " + std::to_string(x));
        },
        [](caf::error&) {});
}

// A stack of limited size, with errors.

caf::behavior fixed_stack(caf::event_based_actor*, std::int32_t size) {
  auto data = std::make_shared<std::vector<std::int32_t>>();
  return {
    [data, size](caf::put_atom, std::int32_t x) -> caf::result<void> {
      if (data->size() == static_cast<std::size_t>(size))
        return caf::make_error(trouble::not_today, "full");
      data->push_back(x);
      return caf::unit;
    },
    [data](caf::get_atom) -> caf::result<std::int32_t> {
      if (data->empty())
        return caf::make_error(trouble::not_today, "empty");
      const auto top = data->back();
      data->pop_back();
      return top;
    },
  };
}

// Passing on, and promises.

caf::behavior worker() {
  return {[](caf::add_atom, std::int32_t x, std::int32_t y) { return x + y; }};
}

caf::behavior delegating(caf::event_based_actor* self, const caf::actor& to) {
  return {[self, to](caf::add_atom add, std::int32_t x, std::int32_t y) {
    return self->delegate(to, add, x, y);
  }};
}

caf::behavior promising(caf::event_based_actor* self, const caf::actor& to) {
  return {[self, to](caf::add_atom add, std::int32_t x, std::int32_t y) {
    auto promise = self->make_response_promise<std::int32_t>();
    self->request(to, patience, add, x, y)
      .then([promise](std::int32_t sum) mutable { promise.deliver(sum); });
    return promise;
  }};
}

void add_up(caf::event_based_actor* self, const caf::actor& with,
            const caf::actor& out) {
  self
    ->request(with, patience, caf::add_atom_v, std::int32_t{1}, std::int32_t{2})
    .then([self, out](std::int32_t sum) {
      print(self, out, "sum " + std::to_string(sum));
    });
}

// Types of one's own.

caf::behavior type_tester(caf::event_based_actor* self, const caf::actor& out) {
  return {
    [self, out](const account& x) {
      print(self, out, x.owner + " " + std::to_string(x.balance));
    },
    [self, out](const reading& x) {
      print(self, out, "sensor " + std::to_string(x.sensor));
    },
    [self, out](const percentage& x) {
      print(self, out, std::to_string(x.value) + " %");
    },
    [self, out](const std::map<std::string, account>& all) {
      print(self, out, std::to_string(all.size()) + " accounts");
    },
  };
}

// Division, with an error code and a handler of errors.

caf::behavior divider() {
  return {[](std::int32_t x, std::int32_t y) -> caf::result<std::int32_t> {
    if (y == 0)
      return trouble::not_today;
    return x / y;
  }};
}

void divide(caf::event_based_actor* self, const caf::actor& with,
            std::int32_t by, const caf::actor& out) {
  self->request(with, patience, std::int32_t{84}, by)
    .then([self, out](std::int32_t x) { print(self, out, std::to_string(x)); },
          [self, out](const caf::error& why) {
            print(self, out, to_string(why));
          });
}

// Dining philosophers.

caf::behavior chopstick(caf::event_based_actor*) {
  auto taken = std::make_shared<bool>(false);
  return {
    [taken](caf::join_atom) { return !std::exchange(*taken, true); },
    [taken](caf::leave_atom) { *taken = false; },
  };
}

caf::behavior philosopher(caf::event_based_actor* self, const caf::actor& left,
                          const caf::actor& right, const caf::actor& out,
                          std::int32_t number) {
  self->send(self, caf::tick_atom_v);
  return {[=](caf::tick_atom tick) {
    const auto again = [=] {
      self->delayed_send(self, std::chrono::milliseconds{1 + number}, tick);
    };
    self->request(left, patience, caf::join_atom_v).then([=](bool first) {
      if (!first)
        return again();
      self->request(right, patience, caf::join_atom_v).then([=](bool second) {
        self->send(left, caf::leave_atom_v);
        if (!second)
          return again();
        self->send(right, caf::leave_atom_v);
        print(self, out,
              "philosopher " + std::to_string(number) + " has eaten");
      });
    });
  }};
}

// A chat without groups.

caf::behavior chat_room(caf::event_based_actor* self) {
  auto members = std::make_shared<std::vector<caf::actor>>();
  return {
    [members](caf::join_atom, const caf::actor& who) {
      members->push_back(who);
      return static_cast<std::int32_t>(members->size());
    },
    [self, members](const std::string& text) {
      for (const auto& each : *members)
        self->send(each, text);
    },
    [members](caf::close_atom) { members->clear(); },
  };
}

caf::behavior chatter(caf::event_based_actor* self, const std::string& name,
                      const caf::actor& out) {
  return {[=](const std::string& text) {
    print(self, out, name + " reads: " + text);
  }};
}

// One question to many.

caf::behavior squarer() {
  return {[](std::int32_t x) { return x * x; }};
}

void ask_all(caf::event_based_actor* self,
             const std::vector<caf::actor>& workers, const caf::actor& out) {
  auto sum = std::make_shared<std::int32_t>(0);
  auto missing = std::make_shared<std::size_t>(workers.size());
  for (std::size_t i = 0; i < workers.size(); ++i)
    self->request(workers[i], patience, static_cast<std::int32_t>(i))
      .then([=](std::int32_t square) {
        *sum += square;
        if (--*missing == 0)
          print(self, out, "sum of squares " + std::to_string(*sum));
      });
}

// Other behaviours, and ticks.

caf::behavior ping_or_pong(caf::event_based_actor* self) {
  caf::behavior pong{[self](caf::get_atom) {
    self->become(ping_or_pong(self));
    return std::string{"pong"};
  }};
  return {[self, pong](caf::get_atom) {
    self->become(pong);
    return std::string{"ping"};
  }};
}

caf::behavior ticker(caf::event_based_actor* self, std::int32_t times,
                     const caf::actor& out) {
  auto left = std::make_shared<std::int32_t>(times);
  self->delayed_send(self, 1ms, caf::tick_atom_v);
  return {[=](caf::tick_atom tick) {
    print(self, out, "tick " + std::to_string(*left));
    if (--*left == 0)
      self->quit();
    else
      self->delayed_send(self, 1ms, tick);
  }};
}

} // namespace

TEST_CASE("hello, world") {
  EACH_PLACE(where) {
    paper out;
    play<hello>(where, play<mirror>(where), out.printer());
    CHECK(out.printed(1) == lines{"!dlroW olleH"});
  }
}

TEST_CASE("a calculator with typed handles") {
  EACH_PLACE(where) {
    paper out;
    play<reckon>(where, play<calculator>(where), out.printer());
    CHECK(out.printed(2) == lines{"twice 21 is 42", "the answer is 42"});
  }
}

TEST_CASE("cells are asked by then, await and receive") {
  EACH_PLACE(where) {
    paper out;
    {
      std::vector<caf::actor> cells;
      for (std::int32_t i = 0; i < 3; ++i)
        cells.push_back(play<cell>(where, i * i));
      play<ask_and_then>(where, cells, out.printer());
      play<await_answers>(where, cells, out.printer());
      play<receive_answers>(where, cells, out.printer());
    }
    CHECK(out.sorted(9)
          == lines{"await 0", "await 1", "await 4", "receive 0", "receive 1",
                   "receive 4", "then 0", "then 1", "then 4"});
  }
}

TEST_CASE("a fixed stack says that it is full and that it is empty") {
  EACH_PLACE(where) {
    lines said;
    {
      caf::scoped_actor self{troupe::actor_system()};
      const auto stack = play<fixed_stack>(where, std::int32_t{2});
      const auto fails = [&](caf::error& why) {
        said.push_back(why.context().get_as<std::string>(0));
      };
      for (std::int32_t i = 0; i < 3; ++i)
        self->request(stack, patience, caf::put_atom_v, i)
          .receive([&] { said.push_back("pushed"); }, fails);
      for (std::int32_t i = 0; i < 3; ++i)
        self->request(stack, patience, caf::get_atom_v)
          .receive([&](std::int32_t x) { said.push_back(std::to_string(x)); },
                   fails);
    }
    CHECK(said == lines{"pushed", "pushed", "full", "1", "0", "empty"});
    end_program();
  }
}

TEST_CASE("a request is delegated, and a promise is kept") {
  EACH_PLACE(where) {
    paper out;
    {
      const auto last = play<worker>(where);
      play<add_up>(where, play<delegating>(where, last), out.printer());
      play<add_up>(where, play<promising>(where, last), out.printer());
    }
    CHECK(out.printed(2) == lines{"sum 3", "sum 3"});
  }
}

TEST_CASE("types of one's own are sent") {
  EACH_PLACE(where) {
    paper out;
    {
      caf::scoped_actor self{troupe::actor_system()};
      const auto tester = play<type_tester>(where, out.printer());
      self->send(tester, account{"ada", 12, {}});
      self->send(tester, reading{3, 1.5, 0});
      self->send(tester, percentage{99});
      self->send(tester, std::map<std::string, account>{{"a", {}}, {"b", {}}});
    }
    CHECK(out.printed(4) == lines{"ada 12", "sensor 3", "99 %", "2 accounts"});
  }
}

TEST_CASE("a divider answers with an error code") {
  EACH_PLACE(where) {
    paper out;
    {
      const auto with = play<divider>(where);
      play<divide>(where, with, std::int32_t{2}, out.printer());
      play<divide>(where, with, std::int32_t{0}, out.printer());
    }
    CHECK(out.sorted(2) == lines{"42", "not_today"});
  }
}

TEST_CASE("philosophers dine") {
  EACH_PLACE(where) {
    paper out;
    constexpr std::int32_t count = 3;
    {
      std::vector<caf::actor> sticks;
      for (std::int32_t i = 0; i < count; ++i)
        sticks.push_back(play<chopstick>(where));
      for (std::int32_t i = 0; i < count; ++i)
        play<philosopher>(where, sticks[static_cast<std::size_t>(i)],
                          sticks[static_cast<std::size_t>((i + 1) % count)],
                          out.printer(), i);
    }
    CHECK(out.sorted(3)
          == lines{"philosopher 0 has eaten", "philosopher 1 has eaten",
                   "philosopher 2 has eaten"});
  }
}

TEST_CASE("a room passes on what is said in it") {
  EACH_PLACE(where) {
    paper out;
    {
      caf::scoped_actor self{troupe::actor_system()};
      const auto room = play<chat_room>(where);
      std::int32_t count = 0;
      for (const std::string name : {"ada", "bob"})
        CHECK(ask<std::int32_t>(self, room, caf::join_atom_v,
                                play<chatter>(where, name, out.printer()))
              == ++count);
      self->send(room, std::string{"hello"});
      self->send(room, caf::close_atom_v);
    }
    CHECK(out.sorted(2) == lines{"ada reads: hello", "bob reads: hello"});
  }
}

TEST_CASE("one question goes to many") {
  EACH_PLACE(where) {
    paper out;
    {
      std::vector<caf::actor> workers;
      for (int i = 0; i < 4; ++i)
        workers.push_back(play<squarer>(where));
      play<ask_all>(where, workers, out.printer());
    }
    CHECK(out.printed(1) == lines{"sum of squares 14"});
  }
}

TEST_CASE("an actor becomes another, and back") {
  EACH_PLACE(where) {
    {
      caf::scoped_actor self{troupe::actor_system()};
      const auto both = play<ping_or_pong>(where);
      for (const std::string expected : {"ping", "pong", "ping", "pong"})
        CHECK(ask<std::string>(self, both, caf::get_atom_v) == expected);
    }
    end_program();
  }
}

TEST_CASE("a clock ticks and ends by itself") {
  EACH_PLACE(where) {
    paper out;
    play<ticker>(where, std::int32_t{3}, out.printer());
    CHECK(out.printed(3) == lines{"tick 3", "tick 2", "tick 1"});
  }
}
