// SPDX-License-Identifier: BSL-1.0
//
// A program of its own for the tests of machines that are used by other
// processes than the lead's root. With --troupe.listen it is the lead and does
// what its first argument says; with --troupe.join it is a machine.
//
//   child       a process lists, finds, waits for, starts and spawns
//   pool        tasks of a pool start
//   actor       an actor in a process of its own starts while it handles a message
//   machine     a function on the first machine uses the second one, and its own
//   join        a process waits for machines that join later, and in vain
//   loss        a process has a call on a machine that is lost, and another later
//   asker       a process with a call on a machine is killed
//   asker_there the same of a process on a machine, and of its whole machine
//   handles     handles of actors as arguments and results
//   alone       without machines: a process asks for them

#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/machines/machines.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/runtime/names.hpp>
#include <troupe/runtime/spawn.hpp>

#include <support/eventually.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;

namespace {

constexpr auto patience = 30s;

using typed_adder = caf::typed_actor<caf::result<int>(caf::add_atom, int, int)>;

std::int32_t own_pid() {
  return static_cast<std::int32_t>(::getpid());
}

/// A parent's pid tells machines apart.
std::int32_t root_pid() {
  return troupe::parent_process()->pid();
}

long square(long number) {
  return number * number;
}

void fail() {
  throw std::logic_error("the oven is cold");
}

int die() {
  std::raise(SIGKILL);
  return 0;
}

int print_lines(int lines) {
  for (int i = 1; i <= lines; ++i)
    std::cout << "line " << i << std::endl;
  return lines;
}

long nap_and_give(double seconds, long what) {
  // Time: the caller says how long.
  std::this_thread::sleep_for(std::chrono::duration<double>{seconds});
  return what;
}

caf::behavior counter(caf::stateful_actor<int>* self, int start) {
  self->state = start;
  return {
    [self](caf::add_atom, int more) { return self->state += more; },
    [](caf::get_atom) { return own_pid(); },
  };
}

caf::behavior named(caf::stateful_actor<int>* self, const std::string& name) {
  troupe::names::set(name, caf::actor{self});
  return counter(self, 0);
}

caf::behavior cold(caf::event_based_actor*, int) {
  throw std::logic_error("the oven is cold");
}

typed_adder::behavior_type adder() {
  return {[](caf::add_atom, int one, int other) { return one + other; }};
}

/// Prints the result of `what`, or what it throws.
template <class What>
void tell(const std::string& label, What what) {
  std::string line;
  try {
    line = std::to_string(what());
  } catch (const troupe::remote_error& failure) {
    line = std::string{to_string(failure.code())} + " [" + failure.what()
           + "] text=" + failure.text();
  } catch (const troupe::error& failure) {
    line = std::string{to_string(failure.code())} + " [" + failure.what() + ']';
  }
  std::cout << (label + ' ' + line + '\n') << std::flush;
}

int add_to(const caf::actor& whom, int more) {
  int result = -1;
  caf::scoped_actor self{troupe::actor_system()};
  self->request(whom, patience, caf::add_atom_v, more)
    .receive([&](int sum) { result = sum; },
             [](const caf::error& why) {
               std::cout << "error " << to_string(why) << std::endl;
             });
  return result;
}

std::int32_t pid_of(const caf::actor& whom) {
  std::int32_t pid = -1;
  caf::scoped_actor self{troupe::actor_system()};
  self->request(whom, patience, caf::get_atom_v)
    .receive([&](std::int32_t found) { pid = found; },
             [](const caf::error&) {});
  return pid;
}

troupe::machine machine_called(std::string_view name) {
  return troupe::machines::wait_for(name, patience);
}

/// What any process may do, of which `where` says the machine.
void use(const std::string& where) {
  const auto kitchen = machine_called(where);
  tell("listed", [] { return troupe::machines::list().size(); });
  tell("found", [&] { return troupe::machines::find(where) == kitchen; });
  tell("nobody", [] { return troupe::machines::find("nobody").has_value(); });
  tell("there", [&] { return kitchen.is_there(); });
  tell("processors",
       [&] { return kitchen.processors() > 0 && kitchen.memory() > 0; });
  tell("address",
       [] { return troupe::machines::address().starts_with("127.0.0.1:"); });
  tell("square", [&] { return kitchen.start<square>(7).get(); });
  tell("lambda", [&] {
    return kitchen.start([](int a, int b) { return a + b; }, 3, 4).get();
  });
  tell("printed", [&] { return kitchen.start<print_lines>(3).get(); });
  tell("failed", [&] { return kitchen.start<fail>().get(), 0; });
  tell("died", [&] { return kitchen.start<die>().get(); });
  auto napping = kitchen.start<nap_and_give>(1000.0, 1);
  const auto soon = kitchen.start<nap_and_give>(0.1, 2);
  tell("first", [&] {
    return static_cast<int>(troupe::wait_any(soon, napping, patience) == 0);
  });
  tell("in time",
       [&] { return napping.wait_for(20ms) == std::future_status::ready; });
  napping.terminate();
  tell("terminated", [&] { return napping.get(); });
  const auto there = kitchen.spawn<counter>(10);
  tell("actor", [&] { return add_to(there, 5); });
  tell("elsewhere", [&] { return pid_of(there) != own_pid(); });
  tell("cold", [&] { return add_to(kitchen.spawn<cold>(1), 1); });
  tell("events", [] {
    troupe::machines::events none;
    return 0;
  });
}

int use_as_child(const std::string& where) {
  use(where);
  return 0;
}

long square_there(const std::string& where, long number) {
  return machine_called(where).start<square>(number).get();
}

long square_in_kitchen(long number) {
  return square_there("kitchen", number);
}

void use_in_pool() {
  troupe::pool pool{2};
  long sum = 0;
  for (const long each :
       pool.map<square_in_kitchen>(std::vector<long>{1, 2, 3, 4, 5, 6}))
    sum += each;
  std::cout << "sum " << sum << std::endl;
}

caf::behavior asks_there(caf::event_based_actor*) {
  return {[](caf::add_atom, int number) {
    return static_cast<int>(square_there("kitchen", number));
  }};
}

void use_in_actor() {
  static_cast<void>(machine_called("kitchen"));
  const auto one = troupe::spawn<asks_there>();
  tell("of an actor", [&] { return add_to(one, 9); });
}

void use_on_machine() {
  const auto all = troupe::machines::wait_for(2, patience);
  const auto kitchen = machine_called("kitchen");
  kitchen.start<use_as_child>(std::string{"cellar"}).get();
  // Where it runs is where it was sent to.
  const auto cellar_root = machine_called("cellar").start<root_pid>().get();
  tell("on the other", [&] {
    return kitchen
             .start(
               [] { return machine_called("cellar").start<root_pid>().get(); })
             .get()
           == cellar_root;
  });
  tell("on its own", [&] {
    return kitchen
      .start([] {
        return machine_called("kitchen").start<root_pid>().get() == root_pid();
      })
      .get();
  });
}

int wait_in_child() {
  std::cout << "waits" << std::endl;
  tell("joined", [] { return troupe::machines::wait_for(2, patience).size(); });
  tell("by name", [] { return machine_called("cellar").number(); });
  tell("in vain",
       [] { return troupe::machines::wait_for("nobody", 50ms).number(); });
  return 0;
}

int lose_in_child() {
  const auto kitchen = machine_called("kitchen");
  auto napping = kitchen.start<nap_and_give>(1000.0, 1);
  const auto there = kitchen.spawn<counter>(1);
  tell("before", [&] { return add_to(there, 1); });
  std::cout << "about to be lost" << std::endl;
  tell("lost", [&] { return napping.get(); });
  tell("later", [&] { return kitchen.start<square>(1).get(); });
  tell("no actor", [&] { return add_to(kitchen.spawn<counter>(1), 1); });
  tell("there", [&] { return kitchen.is_there(); });
  return 0;
}

void tell_pid_and_nap(const caf::actor& whom) {
  caf::anon_send(whom, caf::put_atom_v, own_pid());
  nap_and_give(1000.0, 0);
}

int call_and_nap(const std::string& where, const caf::actor& whom) {
  const auto on = machine_called(where);
  auto first = on.start<tell_pid_and_nap>(whom);
  auto second = on.start<tell_pid_and_nap>(whom);
  first.get();
  return 0;
}

/// The next two processes that `self` is told of.
std::vector<std::int32_t> two_pids(caf::scoped_actor& self) {
  std::vector<std::int32_t> pids;
  while (pids.size() < 2)
    self->receive([&](caf::put_atom, std::int32_t pid) { pids.push_back(pid); },
                  caf::after(patience) >> [&] { pids.assign(2, -1); });
  return pids;
}

bool runs(std::int32_t pid) {
  return ::kill(pid, 0) == 0;
}

void tell_whether_gone(const std::string& label,
                       const std::vector<std::int32_t>& pids) {
  const bool gone = troupe::test::eventually(
    [&] { return !runs(pids.at(0)) && !runs(pids.at(1)); });
  std::cout << label << ' ' << gone << std::endl;
}

void kill_asker() {
  const auto kitchen = machine_called("kitchen");
  caf::scoped_actor self{troupe::actor_system()};
  auto asker = troupe::async<call_and_nap>(std::string{"kitchen"},
                                           caf::actor{self});
  const auto pids = two_pids(self);
  std::cout << "run " << (runs(pids.at(0)) && runs(pids.at(1))) << std::endl;
  asker.runner().kill();
  tell_whether_gone("gone", pids);
  tell("asker", [&] { return asker.get(); });
  tell("goes on", [&] { return kitchen.start<square>(3).get(); });
}

void kill_asker_there() {
  const auto kitchen = machine_called("kitchen");
  const auto cellar = machine_called("cellar");
  caf::scoped_actor self{troupe::actor_system()};
  auto asker = kitchen.start<call_and_nap>(std::string{"cellar"},
                                           caf::actor{self});
  const auto pids = two_pids(self);
  asker.kill();
  tell_whether_gone("gone", pids);
  auto again = kitchen.start<call_and_nap>(std::string{"cellar"},
                                           caf::actor{self});
  const auto others = two_pids(self);
  ::kill(kitchen.start<root_pid>().get(), SIGKILL);
  tell("asker", [&] { return again.get(); });
  tell_whether_gone("gone with its machine", others);
  tell("goes on", [&] { return cellar.start<square>(3).get(); });
}

int add_by(const std::vector<caf::actor>& all, const typed_adder& typed) {
  int sum = 0;
  for (const auto& each : all)
    sum += each ? add_to(each, 1) : 100;
  caf::scoped_actor self{troupe::actor_system()};
  self->request(typed, patience, caf::add_atom_v, sum, 1000)
    .receive([&](int given) { sum = given; }, [](const caf::error&) {});
  return sum;
}

std::map<std::string, caf::actor> give_back(const caf::actor& one,
                                            const caf::actor& other) {
  return {{"one", one}, {"none", caf::actor{}}, {"other", other}};
}

caf::actor look_up(const std::string& name) {
  return troupe::names::wait_for(name, patience).value();
}

typed_adder pass(const typed_adder& one) {
  return one;
}

int pass_handles_in_child() {
  const auto kitchen = machine_called("kitchen");
  const auto own = troupe::actor_system().spawn(counter, 40);
  const auto typed = troupe::actor_system().spawn(adder);
  tell("of a child",
       [&] { return kitchen.start<add_by>(std::vector{own}, typed).get(); });
  tell("back at a child", [&] {
    auto all = kitchen.start<give_back>(own, own).get();
    return all.at("one") == own && all.at("other") == own && !all.at("none");
  });
  return 0;
}

void pass_handles() {
  const auto kitchen = machine_called("kitchen");
  const auto here = troupe::actor_system().spawn(counter, 1);
  const auto in_process = troupe::spawn<counter>(20);
  const auto there = kitchen.spawn<named>(std::string{"stove"});
  const auto typed = troupe::actor_system().spawn(adder);
  tell("arguments", [&] {
    return kitchen
      .start<add_by>(std::vector{here, in_process, there, caf::actor{}}, typed)
      .get();
  });
  tell("back", [&] {
    auto all = kitchen.start<give_back>(here, there).get();
    return all.at("one") == here && all.at("other") == there && !all.at("none")
           && all.size() == 3;
  });
  tell("typed back", [&] { return kitchen.start<pass>(typed).get() == typed; });
  tell("found there", [&] {
    return kitchen.start<look_up>(std::string{"stove"}).get() == there;
  });
  tell("answers", [&] {
    return add_to(kitchen.start<look_up>(std::string{"stove"}).get(), 6);
  });
  troupe::async<pass_handles_in_child>().get();
  // What nobody refers to any more ends, here and there.
  caf::scoped_actor self{troupe::actor_system()};
  {
    const auto last = troupe::actor_system().spawn(counter, 1);
    self->monitor(last);
    tell("last",
         [&] { return kitchen.start<give_back>(last, there).get().size(); });
  }
  self->receive(
    [](const caf::down_msg& down) {
      std::cout << "down " << to_string(down.reason) << std::endl;
    },
    caf::after(patience) >> [] { std::cout << "still there" << std::endl; });
}

int ask_alone() {
  tell("list", [] { return troupe::machines::list().size(); });
  tell("wait", [] { return troupe::machines::wait_for(1, 1s).size(); });
  return 0;
}

int lead(std::string_view what) {
  if (what == "child")
    troupe::async<use_as_child>(std::string{"kitchen"}).get();
  else if (what == "pool")
    use_in_pool();
  else if (what == "actor")
    use_in_actor();
  else if (what == "machine")
    use_on_machine();
  else if (what == "join")
    troupe::async<wait_in_child>().get();
  else if (what == "loss")
    troupe::async<lose_in_child>().get();
  else if (what == "asker")
    kill_asker();
  else if (what == "asker_there")
    kill_asker_there();
  else if (what == "handles")
    pass_handles();
  else if (what == "alone")
    troupe::async<ask_alone>().get();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  try {
    troupe::program program{argc, argv};
    const std::vector<std::string> words{program.arguments().begin(),
                                         program.arguments().end()};
    return words.empty() ? 0 : lead(words.front());
  } catch (const troupe::error& failure) {
    std::cout << to_string(failure.code()) << ": " << failure.what()
              << std::endl;
    return 2;
  }
}
