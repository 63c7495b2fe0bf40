// SPDX-License-Identifier: BSL-1.0
//
// A program of its own for the tests of actors on machines. With
// --troupe.listen it is the lead and does what its first argument says; with
// --troupe.join it is a machine.
//
//   spawn           actors of a function, a class, a lambda, and a typed one
//   throw           an actor whose function throws, and one whose constructor does
//   home            a handle that goes there and comes back is the same
//   argument        an actor there has a handle of one here from the beginning
//   delegate        a request that is passed on there and back, and one answered later
//   patience        a request that nobody answers, with a limit
//   monitor         ends are told in both directions, and whoever asks later
//   link            who is linked ends, in both directions
//   child           a process of the lead's uses an actor there, and is used by it
//   three MACHINES  actors on two machines know each other
//   kill            the process of an actor is killed; with a request on the way
//   lose            the same of the machine, by whoever has launched this
//   gone            actors to which nobody refers any more
//   memory          messages that name memory of this machine
//   order COUNT     so many messages while a large one goes, in both directions
//   leave           an actor there, until the machine has left
//   rounds FIRST MORE
//                   so many actors, one after the other, and handles that go there
//                   and back; prints what is left of the second ones
//   latency COUNT   prints how long a round trip takes, in ns
//   flood COUNT     prints how many messages a second arrive

#include <troupe/base/error.hpp>
#include <troupe/calls/failure.hpp>
#include <troupe/machines/machines.hpp>
#include <troupe/process/program.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/transport/bundle.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/dead_letters.hpp>

#include <support/footprint.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;

namespace {

constexpr auto patience = 30s;

using typed_adder = caf::typed_actor<caf::result<int>(caf::add_atom, int, int)>;

struct counter_state {
  int value = 0;
};

caf::behavior counter(caf::stateful_actor<counter_state>* self, int start) {
  self->state.value = start;
  return {
    [self](caf::add_atom, int more) { return self->state.value += more; },
    [](caf::get_atom) { return static_cast<std::int32_t>(::getpid()); },
    [self](caf::close_atom) { self->quit(); },
    [](caf::ping_atom) { return caf::make_message(caf::pong_atom_v); },
  };
}

class till final : public caf::event_based_actor {
public:
  till(caf::actor_config& config, std::string name, std::vector<int> coins)
    : event_based_actor(config),
      name_(std::move(name)),
      coins_(std::move(coins)) {
  }
  caf::behavior make_behavior() override {
    return {[this](caf::get_atom) {
      int sum = 0;
      for (const int each : coins_)
        sum += each;
      return name_ + ' ' + std::to_string(sum);
    }};
  }

private:
  std::string name_;
  std::vector<int> coins_;
};

typed_adder::behavior_type adder() {
  return {[](caf::add_atom, int one, int other) { return one + other; }};
}

caf::behavior cold(caf::event_based_actor*, int) {
  throw std::logic_error("the oven is cold");
}

class broken final : public caf::event_based_actor {
public:
  explicit broken(caf::actor_config& config) : event_based_actor(config) {
    throw std::runtime_error("no gas");
  }
  caf::behavior make_behavior() override {
    return {};
  }
};

/// Gives back what it gets; passes on to `to`; answers later.
caf::behavior helper(caf::event_based_actor* self, caf::actor to) {
  return {
    [](caf::put_atom, const caf::actor& one) { return one; },
    [self, to](caf::forward_atom, int value) {
      return self->delegate(to, caf::add_atom_v, value);
    },
    [self, to](caf::ok_atom, int value) {
      auto later = self->make_response_promise<int>();
      self->request(to, patience, caf::add_atom_v, value)
        .then([later](int sum) mutable { later.deliver(sum); },
              [later](const caf::error& why) mutable { later.deliver(why); });
      return later;
    },
    // By way of another.
    [self](caf::forward_atom, const caf::actor& by, const caf::actor& other,
           int value) {
      return self->delegate(by, caf::forward_atom_v, other, value);
    },
    // Another, that is told of only now.
    [self](caf::forward_atom, const caf::actor& other, int value) {
      return self->delegate(other, caf::add_atom_v, value);
    },
    [self](caf::idle_atom) {
      static_cast<void>(self->make_response_promise());
      self->quit();
    },
    [](caf::get_atom) { return static_cast<std::int32_t>(::getpid()); },
  };
}

/// Answers nothing, and keeps what it is asked.
caf::behavior
silent(caf::stateful_actor<std::vector<caf::response_promise>>* self) {
  return {[self](caf::add_atom, int) {
            self->state.push_back(self->make_response_promise());
            return caf::delegated<int>{};
          },
          [](caf::get_atom) { return static_cast<std::int32_t>(::getpid()); }};
}

/// Tells `whom` of the end of the actors that it is to watch, or of its own
/// links.
caf::behavior watcher(caf::event_based_actor* self, caf::actor whom) {
  self->set_down_handler([self, whom](const caf::down_msg& down) {
    self->send(whom, caf::timeout_atom_v, to_string(down.reason));
  });
  self->set_exit_handler([self, whom](const caf::exit_msg& left) {
    self->send(whom, caf::close_atom_v, to_string(left.reason));
  });
  return {[self](caf::monitor_atom, const caf::actor& one) {
            self->monitor(one);
            return caf::ok_atom_v;
          },
          [self](caf::link_atom, const caf::actor& one) {
            self->link_to(one);
            return caf::ok_atom_v;
          },
          [self](caf::delete_atom, const caf::actor& one) {
            self->unlink_from(one);
            return caf::ok_atom_v;
          },
          [](caf::get_atom) { return static_cast<std::int32_t>(::getpid()); }};
}

std::chrono::milliseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
    std::chrono::steady_clock::now() - start);
}

template <class What>
void tell(What what) {
  try {
    what();
    std::cout << "done" << std::endl;
  } catch (const troupe::remote_error& failure) {
    std::cout << to_string(failure.code()) << " [" << failure.what() << ']'
              << " type=" << failure.type() << " text=" << failure.text()
              << std::endl;
  } catch (const troupe::error& failure) {
    std::cout << to_string(failure.code()) << " [" << failure.what() << ']'
              << std::endl;
  }
}

troupe::machine first_machine() {
  return troupe::machines::wait_for(1, patience).front();
}

/// Asks, and prints "LABEL answer" or the error.
template <class Result, class Handle, class... Ts>
void ask(caf::scoped_actor& self, const std::string& label, const Handle& whom,
         Ts... what) {
  const auto start = std::chrono::steady_clock::now();
  self->request(whom, patience, what...)
    .receive(
      [&](const Result& value) {
        if constexpr (std::is_same_v<Result, caf::ok_atom>)
          std::cout << label << std::endl;
        else
          std::cout << label << ' ' << value << std::endl;
      },
      [&](const caf::error& why) {
        std::cout << label << " error " << to_string(why) << " after "
                  << since(start).count() << " ms" << std::endl;
      });
}

std::int32_t pid_of(caf::scoped_actor& self, const caf::actor& whom) {
  std::int32_t pid = 0;
  self->request(whom, patience, caf::get_atom_v)
    .receive([&](std::int32_t found) { pid = found; },
             [](const caf::error& why) {
               std::cout << "no pid: " << to_string(why) << std::endl;
             });
  return pid;
}

/// Prints the next end that `self` hears of.
void tell_of_end(caf::scoped_actor& self, const std::string& label) {
  const auto start = std::chrono::steady_clock::now();
  self->receive(
    [&](const caf::down_msg& down) {
      std::cout << label << " down " << to_string(down.reason) << " after "
                << since(start).count() << " ms" << std::endl;
    },
    [&](caf::timeout_atom, const std::string& reason) {
      std::cout << label << " told of " << reason << std::endl;
    },
    [&](caf::close_atom, const std::string& reason) {
      std::cout << label << " exit " << reason << std::endl;
    },
    caf::after(patience) >>
      [&] { std::cout << label << " heard nothing" << std::endl; });
}

void spawn_all() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto function = kitchen.spawn<counter>(10);
  ask<int>(self, "function", function, caf::add_atom_v, 2);
  ask<int>(self, "again", function, caf::add_atom_v, 30);
  const auto of_class = kitchen.spawn<till>("till", std::vector<int>{3, 4});
  ask<std::string>(self, "class", of_class, caf::get_atom_v);
  const typed_adder typed = kitchen.spawn<adder>();
  ask<int>(self, "typed", typed, caf::add_atom_v, 4, 5);
  const auto lambda = kitchen.spawn(
    [](caf::event_based_actor*, const std::string& text) -> caf::behavior {
      return {[text](caf::get_atom) { return text; }};
    },
    "of a lambda");
  ask<std::string>(self, "lambda", lambda, caf::get_atom_v);
  std::cout << "elsewhere " << (pid_of(self, function) != ::getpid())
            << std::endl;
  self->send(function, caf::close_atom_v);
}

void spawn_what_throws() {
  const auto kitchen = first_machine();
  tell([&] { static_cast<void>(kitchen.spawn<cold>(1)); });
  tell([&] { static_cast<void>(kitchen.spawn<broken>()); });
}

void bring_home() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto here = troupe::actor_system().spawn(counter, 1);
  const auto elsewhere = troupe::spawn<counter>(2);
  const auto there = kitchen.spawn<helper>(caf::actor{});
  for (const auto& each : {here, elsewhere, there})
    self->request(there, patience, caf::put_atom_v, each)
      .receive(
        [&](const caf::actor& back) {
          std::cout << "the same " << (back == each) << std::endl;
        },
        [](const caf::error& why) {
          std::cout << "error " << to_string(why) << std::endl;
        });
}

void pass_on() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto here = troupe::actor_system().spawn(counter, 1);
  const auto in_process = troupe::spawn<counter>(100);
  ask<int>(self, "here", kitchen.spawn<helper>(here), caf::forward_atom_v, 2);
  const auto there = kitchen.spawn<helper>(in_process);
  ask<int>(self, "delegated", there, caf::forward_atom_v, 3);
  ask<int>(self, "promised", there, caf::ok_atom_v, 4);
  const auto beside = kitchen.spawn<counter>(1'000);
  ask<int>(self, "beside", there, caf::forward_atom_v, beside, 5);
  // Back again: there, and here.
  const auto back = troupe::spawn<helper>(there);
  ask<int>(self, "there and back", there, caf::forward_atom_v, back, beside, 6);
  ask<int>(self, "nobody", there, caf::idle_atom_v);
}

void be_patient() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto there = kitchen.spawn<silent>();
  self->request(there, 50ms, caf::add_atom_v, 1)
    .receive([](int) { std::cout << "answered" << std::endl; },
             [](const caf::error& why) {
               std::cout << "late " << to_string(why) << std::endl;
             });
}

void monitor() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto there = kitchen.spawn<counter>(1);
  self->monitor(there);
  self->send_exit(there, caf::exit_reason::user_shutdown);
  tell_of_end(self, "there");
  self->monitor(there);
  tell_of_end(self, "later");
  ask<int>(self, "ended", there, caf::add_atom_v, 1);
  // The other way.
  const auto sees = kitchen.spawn<watcher>(caf::actor{self});
  const auto here = troupe::actor_system().spawn(counter, 1);
  const auto in_process = troupe::spawn<counter>(1);
  for (const auto& each : {here, in_process}) {
    ask<caf::ok_atom>(self, "watches", sees, caf::monitor_atom_v, each);
    self->send(each, caf::close_atom_v);
    tell_of_end(self, "here");
  }
  ask<caf::ok_atom>(self, "watches", sees, caf::monitor_atom_v, here);
  tell_of_end(self, "later");
}

/// Prints that an exit was told once.
void tell_of_exits(caf::scoped_actor& self, const std::string& label) {
  tell_of_end(self, label);
  int more = 0;
  // Time: in which another would come.
  const auto limit = std::chrono::steady_clock::now() + 200ms;
  while (std::chrono::steady_clock::now() < limit)
    self->receive([&](caf::close_atom, const std::string&) { ++more; },
                  caf::after(50ms) >> [] {});
  std::cout << label << " more " << more << std::endl;
}

void link() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto sees = kitchen.spawn<watcher>(caf::actor{self});
  const auto here = troupe::actor_system().spawn(watcher, caf::actor{self});
  const auto in_process = troupe::spawn<watcher>(caf::actor{self});
  const auto ends_and_tells = [&](const std::string& label,
                                  const caf::actor& one,
                                  const caf::actor& whom) {
    ask<caf::ok_atom>(self, "links", one, caf::link_atom_v, whom);
    self->send_exit(whom, caf::exit_reason::user_shutdown);
    tell_of_exits(self, label);
  };
  ends_and_tells("there", sees, troupe::actor_system().spawn(counter, 1));
  ends_and_tells("there of a process", sees, troupe::spawn<counter>(1));
  ends_and_tells("here", here, kitchen.spawn<counter>(1));
  ends_and_tells("in a process", in_process, kitchen.spawn<counter>(1));
  ends_and_tells("in one run", here, troupe::spawn<counter>(1));
  ends_and_tells("in one run, the other way", in_process,
                 troupe::actor_system().spawn(counter, 1));
  // A process that is killed says nothing of its links.
  const auto victim = troupe::spawn<counter>(1);
  ask<caf::ok_atom>(self, "links", sees, caf::link_atom_v, victim);
  ::kill(pid_of(self, victim), SIGKILL);
  tell_of_exits(self, "killed");
  // Who has ended a link hears nothing.
  const auto other = troupe::spawn<counter>(1);
  ask<caf::ok_atom>(self, "links", sees, caf::link_atom_v, other);
  ask<caf::ok_atom>(self, "unlinks", sees, caf::delete_atom_v, other);
  // Others hear of it behind the answer.
  for (int i = 0; i < 2; ++i)
    static_cast<void>(pid_of(self, sees));
  self->monitor(other);
  self->send(other, caf::close_atom_v);
  tell_of_exits(self, "unlinked");
}

int use(const caf::actor& there) {
  caf::scoped_actor self{troupe::actor_system()};
  ask<int>(self, "from a child", there, caf::add_atom_v, 5);
  const auto own = troupe::actor_system().spawn(counter, 70);
  const auto passes = troupe::actor_system().spawn(helper, own);
  self->request(there, patience, caf::forward_atom_v, own, 7)
    .receive([](int sum) { std::cout << "of a child " << sum << std::endl; },
             [](const caf::error& why) {
               std::cout << "of a child " << to_string(why) << std::endl;
             });
  self->monitor(there);
  self->send(there, caf::close_atom_v);
  tell_of_end(self, "in a child");
  return 0;
}

caf::behavior both(caf::stateful_actor<counter_state>* self) {
  return {
    [self](caf::add_atom, int more) { return self->state.value += more; },
    [self](caf::forward_atom, const caf::actor& other, int value) {
      return self->delegate(other, caf::add_atom_v, value);
    },
    [self](caf::close_atom) { self->quit(); },
  };
}

void child() {
  const auto kitchen = first_machine();
  const auto there = kitchen.spawn<both>();
  troupe::async<use>(there).get();
}

void three() {
  const auto all = troupe::machines::wait_for(2, patience);
  caf::scoped_actor self{troupe::actor_system()};
  const auto counts = all.at(1).spawn<counter>(1);
  const auto helps = all.at(0).spawn<helper>(counts);
  ask<int>(self, "argument", helps, caf::ok_atom_v, 2);
  ask<int>(self, "delegated", helps, caf::forward_atom_v, 3);
  const auto knows = all.at(0).spawn<both>();
  ask<int>(self, "in a message", knows, caf::forward_atom_v, counts, 4);
  const auto sees = all.at(0).spawn<watcher>(caf::actor{self});
  ask<caf::ok_atom>(self, "watches", sees, caf::monitor_atom_v, counts);
  self->send(counts, caf::close_atom_v);
  tell_of_end(self, "of another machine");
  // A request that is at the second is answered when that is lost.
  const auto silence = all.at(1).spawn<silent>();
  const auto passes = all.at(0).spawn<helper>(silence);
  ask<caf::ok_atom>(self, "watches", sees, caf::monitor_atom_v, silence);
  auto waits = self->request(passes, patience, caf::forward_atom_v, 1);
  // Behind the request, which it has passed on then.
  static_cast<void>(pid_of(self, passes));
  std::cout << "about to be lost" << std::endl;
  waits.receive([](int) { std::cout << "answered" << std::endl; },
                [](const caf::error& why) {
                  std::cout << "passed on " << to_string(why) << std::endl;
                });
  tell_of_end(self, "lost");
  ask<int>(self, "after", passes, caf::forward_atom_v, 1);
}

void kill_process() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto there = kitchen.spawn<silent>();
  const auto pid = pid_of(self, there);
  self->monitor(there);
  auto waits = self->request(there, patience, caf::add_atom_v, 1);
  ::kill(pid, SIGKILL);
  const auto start = std::chrono::steady_clock::now();
  waits.receive([](int) { std::cout << "answered" << std::endl; },
                [&](const caf::error& why) {
                  std::cout << "request " << to_string(why) << " after "
                            << since(start).count() << " ms" << std::endl;
                });
  tell_of_end(self, "process");
}

void lose_machine() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto there = kitchen.spawn<silent>();
  static_cast<void>(pid_of(self, there));
  self->monitor(there);
  auto waits = self->request(there, patience, caf::add_atom_v, 1);
  std::cout << "about to be lost" << std::endl;
  waits.receive([](int) { std::cout << "answered" << std::endl; },
                [](const caf::error& why) {
                  std::cout << "request " << to_string(why) << std::endl;
                });
  tell_of_end(self, "machine");
  ask<int>(self, "after", there, caf::add_atom_v, 1);
  tell([&] { static_cast<void>(kitchen.spawn<silent>()); });
}

/// Tells `whom` when it ends, and by its end that nobody refers to it.
class mortal final : public caf::event_based_actor {
public:
  mortal(caf::actor_config& config, caf::actor keeps)
    : event_based_actor(config), keeps_(std::move(keeps)) {
  }
  caf::behavior make_behavior() override {
    return {[](caf::get_atom) { return static_cast<std::int32_t>(::getpid()); },
            [this](caf::put_atom, caf::actor other) {
              keeps_ = std::move(other);
              return caf::ok_atom_v;
            }};
  }

private:
  caf::actor keeps_;
};

void let_go() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  {
    auto there = kitchen.spawn<mortal>(caf::actor{});
    static_cast<void>(pid_of(self, there));
    self->monitor(there);
  }
  tell_of_end(self, "there");
  // One here that only one there refers to.
  caf::actor keeper;
  {
    auto here = troupe::actor_system().spawn<mortal>(caf::actor{});
    self->monitor(here);
    keeper = kitchen.spawn<mortal>(here);
  }
  bool early = false;
  self->receive([&](const caf::down_msg&) { early = true; },
                caf::after(300ms) >> [] {});
  std::cout << "kept " << !early << std::endl;
  self->request(keeper, patience, caf::put_atom_v, caf::actor{})
    .receive([](caf::ok_atom) {}, [](const caf::error&) {});
  tell_of_end(self, "here");
}

void send_memory() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto there = kitchen.spawn<helper>(caf::actor{});
  const troupe::array<int> shared(4);
  const auto before = troupe::dead_letters();
  ask<int>(self, "bundle", there, troupe::bundle::of(shared));
  self->send(there, troupe::bundle::of(shared));
  std::cout << "dead letters " << troupe::dead_letters() - before << std::endl;
  // One that has only values crosses, and finds no handler.
  ask<int>(self, "values", there, troupe::bundle::of(7));
  std::cout << "alive " << (pid_of(self, there) != 0) << std::endl;
}

caf::behavior checker(caf::stateful_actor<counter_state>* self) {
  return {[self](caf::add_atom, int number) {
            self->state.value
              = number == self->state.value + 1 ? number : -1'000'000'000;
          },
          [](caf::put_atom, const std::string& large) {
            return static_cast<std::uint64_t>(large.size());
          },
          [self](caf::get_atom) { return self->state.value; }};
}

void keep_order(int count) {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  caf::scoped_actor other{troupe::actor_system()};
  const auto there = kitchen.spawn<checker>();
  const auto beside = kitchen.spawn<checker>();
  const std::string large(std::size_t{64} << 20, 'x');
  auto arrives = other->request(beside, patience, caf::put_atom_v, large);
  for (int i = 1; i <= count; ++i) {
    self->send(there, caf::add_atom_v, i);
    // The same stream has a long one, too.
    if (i == count / 2)
      self->send(there, caf::put_atom_v, std::string(200'000, 'y'));
  }
  ask<int>(self, "in order", there, caf::get_atom_v);
  arrives.receive(
    [](std::uint64_t size) { std::cout << "large " << size << std::endl; },
    [](const caf::error& why) {
      std::cout << "large " << to_string(why) << std::endl;
    });
}

void stay_until_left() {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto there = kitchen.spawn<counter>(1);
  self->monitor(there);
  std::cout << "asked to leave" << std::endl;
  tell_of_end(self, "left");
  tell([&] { static_cast<void>(kitchen.spawn<counter>(1)); });
}

using troupe::test::footprint;

/// Once it is the same for a while.
footprint settled(std::int32_t pid) {
  const auto look = [pid] {
    return pid == 0 ? footprint::own() : footprint::of(pid);
  };
  auto seen = look();
  for (int same = 0; same < 5;) {
    // Time: between looks at what others do.
    std::this_thread::sleep_for(100ms);
    const auto now = look();
    same = now.threads == seen.threads && now.descriptors == seen.descriptors
               && now.memory == seen.memory
             ? same + 1
             : 0;
    seen = now;
  }
  return seen;
}

void come_and_go(int first, int more) {
  const auto kitchen = first_machine();
  const auto root
    = kitchen.start([] { return troupe::parent_process()->pid(); }).get();
  const auto stays = kitchen.spawn<mortal>(caf::actor{});
  const auto use = [&](int count) {
    for (int i = 0; i < count; ++i) {
      caf::scoped_actor self{troupe::actor_system()};
      const auto there = kitchen.spawn<mortal>(caf::actor{});
      self->monitor(there);
      for (const auto& each : {there, caf::actor{self}, caf::actor{}})
        self->request(stays, patience, caf::put_atom_v, each)
          .receive([](caf::ok_atom) {},
                   [](const caf::error& why) {
                     std::cout << "error " << to_string(why) << std::endl;
                   });
      self->send_exit(there, caf::exit_reason::user_shutdown);
      self->receive([](const caf::down_msg&) {});
    }
  };
  use(first);
  const auto before = settled(0);
  const auto before_there = settled(root);
  use(more);
  std::cout << "left at the lead: " << settled(0).since(before) << std::endl;
  std::cout << "left at the machine: " << settled(root).since(before_there)
            << std::endl;
}

void measure_latency(int count) {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto there = kitchen.spawn<counter>(0);
  const auto once = [&] {
    self->request(there, patience, caf::add_atom_v, 1)
      .receive([](int) {}, [](const caf::error&) {});
  };
  for (int i = 0; i < count / 10; ++i)
    once();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i)
    once();
  const std::chrono::nanoseconds used = std::chrono::steady_clock::now()
                                        - start;
  std::cout << "latency " << used.count() / count << " ns" << std::endl;
}

void measure_flood(int count) {
  const auto kitchen = first_machine();
  caf::scoped_actor self{troupe::actor_system()};
  const auto there = kitchen.spawn<checker>();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 1; i <= count; ++i)
    self->send(there, caf::add_atom_v, i);
  ask<int>(self, "arrived", there, caf::get_atom_v);
  const std::chrono::duration<double> used = std::chrono::steady_clock::now()
                                             - start;
  std::cout << "flood " << static_cast<long>(count / used.count())
            << " messages/s" << std::endl;
}

int lead(const std::vector<std::string>& words) {
  const std::string_view what{words.front()};
  const auto number = [&] { return std::stoi(words.at(1)); };
  if (what == "spawn")
    spawn_all();
  else if (what == "throw")
    spawn_what_throws();
  else if (what == "home")
    bring_home();
  else if (what == "delegate")
    pass_on();
  else if (what == "patience")
    be_patient();
  else if (what == "monitor")
    monitor();
  else if (what == "link")
    link();
  else if (what == "child")
    child();
  else if (what == "three")
    three();
  else if (what == "kill")
    kill_process();
  else if (what == "lose")
    lose_machine();
  else if (what == "gone")
    let_go();
  else if (what == "memory")
    send_memory();
  else if (what == "order")
    keep_order(number());
  else if (what == "leave")
    stay_until_left();
  else if (what == "rounds")
    come_and_go(number(), std::stoi(words.at(2)));
  else if (what == "latency")
    measure_latency(number());
  else if (what == "flood")
    measure_flood(number());
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  try {
    troupe::program program{argc, argv};
    const std::vector<std::string> words{program.arguments().begin(),
                                         program.arguments().end()};
    return words.empty() ? 0 : lead(words);
  } catch (const troupe::error& failure) {
    std::cout << to_string(failure.code()) << ": " << failure.what()
              << std::endl;
    return 2;
  }
}
