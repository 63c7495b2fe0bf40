// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/spawn.hpp>

#include <troupe/channel/queue.hpp>
#include <troupe/process/future.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/start.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/handle_coding.hpp>

#include <support/eventually.hpp>
#include <support/launched.hpp>
#include <support/passed.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;

caf::behavior echo(caf::event_based_actor* self) {
  return {
    [](std::int32_t x) { return x; },
    [](std::int32_t x, const caf::actor&) { return x; },
    [](caf::get_atom) { return static_cast<std::int32_t>(::getpid()); },
    [self](caf::close_atom) { self->quit(); },
  };
}

/// A function that uses no actor.
bool builds_an_actor_system() {
  return troupe::has_actor_system();
}

std::set<std::string> threads() {
  std::set<std::string> result;
  for (const auto& thread :
       std::filesystem::directory_iterator{"/proc/self/task"})
    result.insert(thread.path());
  return result;
}

/// How many threads CAF has here, where it is told to have `wanted` of them, or
/// nothing by 0.
int workers_of_caf(int wanted) {
  // The main thread, and a sanitizer's own, which comes with the first other.
  std::thread{[] {}}.join();
  const auto before = threads();
  if (wanted != 0)
    troupe::configure_actors([wanted](caf::actor_system_config& config) {
      config.set("caf.scheduler.max-threads", wanted);
    });
  static_cast<void>(troupe::actor_system());
  // A new thread first has the name of who made it.
  for (;;) {
    int count = 0;
    bool named = true;
    for (const auto& thread : threads()) {
      if (before.contains(thread))
        continue;
      std::ifstream file{thread + "/comm"};
      std::string name;
      std::getline(file, name);
      count += name == "caf.worker" ? 1 : 0;
      named = named && (name.starts_with("caf.") || name.starts_with("troupe"));
    }
    if (named)
      return count;
    std::this_thread::yield();
  }
}

/// A plain function in a process, which uses a handle that it was given.
std::int32_t ask_actor(const caf::actor& whom, std::int32_t x) {
  caf::scoped_actor self{troupe::actor_system()};
  std::int32_t result = 0;
  self->request(whom, 20s, x)
    .receive([&](std::int32_t answer) { result = answer; }, [](caf::error&) {});
  return result;
}

std::int32_t ask_from_queue(troupe::queue<caf::actor> handles,
                            troupe::queue<caf::message> words) {
  const auto whom = handles.get();
  const auto word = words.get();
  return ask_actor(whom, word.get_as<std::int32_t>(0));
}

caf::behavior of_unsigned(caf::event_based_actor* self, unsigned char) {
  return echo(self);
}

/// Ends its process.
caf::behavior leaver() {
  return {[](std::int32_t code) { std::exit(code); }};
}

/// The same beside others in one process.
void leaves_from_here() {
  const auto other = troupe::spawn<echo>(troupe::placement::here);
  const auto actor = troupe::spawn<leaver>(troupe::placement::here);
  caf::anon_send(actor, std::int32_t{4});
  for (;;)
    ::pause();
}

/// An actor that cannot be made.
class stillborn : public caf::event_based_actor {
public:
  explicit stillborn(caf::actor_config& config)
    : caf::event_based_actor(config) {
    throw std::domain_error{"no air"};
  }
};

class stillborn_too : public caf::event_based_actor {
public:
  explicit stillborn_too(caf::actor_config& config)
    : caf::event_based_actor(config) {
    try {
      throw std::domain_error{"no air"};
    } catch (...) {
      std::throw_with_nested(std::runtime_error{"not born"});
    }
  }
};

/// Makes actors here that others know, and ends while they live.
void leave_actors(troupe::queue<caf::actor> handles, const caf::actor& other) {
  handles.put(troupe::spawn<echo>(troupe::placement::here));
  // In a message, and as the sender of one.
  caf::scoped_actor self{troupe::actor_system()};
  self
    ->request(other, 20s, std::int32_t{1},
              troupe::spawn<echo>(troupe::placement::here))
    .receive([](std::int32_t) {}, [](caf::error&) {});
}

std::size_t processes() {
  return troupe::active_children().size();
}

} // namespace

TEST_CASE("a process that uses no actor builds no actor system") {
  CHECK(!troupe::async<builds_an_actor_system>().get());
}

TEST_CASE("an actor system starts with one thread, or with as many as it is "
          "told to") {
  CHECK(troupe::async<workers_of_caf>(0).get() == 1);
  CHECK(troupe::async<workers_of_caf>(3).get() == 3);
}

TEST_CASE("what an actor's constructor throws comes back, and its host lives") {
  troupe::host host{"ward"};
  try {
    static_cast<void>(host.spawn<stillborn>());
    FAIL("it was made");
  } catch (const troupe::remote_error& failure) {
    CHECK(failure.type() == "std::domain_error");
    CHECK(failure.text() == "no air");
    CHECK(failure.causes().empty());
  }
  try {
    static_cast<void>(host.spawn<stillborn_too>());
    FAIL("it was made");
  } catch (const troupe::remote_error& failure) {
    CHECK(failure.type() == "std::runtime_error");
    CHECK(failure.text() == "not born");
    REQUIRE(failure.causes().size() == 1);
    CHECK(failure.causes()[0].type == "std::domain_error");
    CHECK(failure.causes()[0].text == "no air");
    CHECK_THROWS_AS(std::rethrow_if_nested(failure), troupe::remote_error);
  }
  CHECK(ask_actor(host.spawn<echo>(), 7) == 7);
}

TEST_CASE("handles travel as arguments and through queues") {
  const auto actor = troupe::spawn<echo>();
  CHECK(troupe::async<ask_actor>(actor, 12).get() == 12);
  troupe::queue<caf::actor> handles;
  troupe::queue<caf::message> words;
  handles.put(actor);
  words.put(caf::make_message(std::int32_t{31}));
  CHECK(troupe::async<ask_from_queue>(handles, words).get() == 31);
  caf::anon_send(actor, caf::close_atom_v);
}

TEST_CASE("messages of several kinds go through one queue") {
  const auto actor = troupe::spawn<echo>();
  const troupe::queue<caf::message> words;
  words.put(caf::make_message(std::int32_t{4}));
  words.put(caf::make_message(std::string{"five"}, 6.5));
  words.put(caf::make_message(actor, std::vector<caf::actor>{actor}));
  words.put(caf::message{});
  auto child = troupe::start(
    [](troupe::queue<caf::message> from) {
      const auto number = from.get();
      const auto text = from.get();
      const auto handle = from.get();
      return number.match_elements<std::int32_t>()
                 && number.get_as<std::int32_t>(0) == 4
                 && text.match_elements<std::string, double>()
                 && text.get_as<std::string>(0) == "five"
                 && text.get_as<double>(1) == 6.5
                 && handle.match_elements<caf::actor, std::vector<caf::actor>>()
                 && ask_actor(handle.get_as<std::vector<caf::actor>>(1).at(0),
                              8)
                      == 8
                 && ask_actor(handle.get_as<caf::actor>(0), 9) == 9
                 && from.get().empty()
               ? 0
               : 1;
    },
    words);
  CHECK(troupe::test::passed(child));
  caf::anon_send(actor, caf::close_atom_v);
}

TEST_CASE(
  "a number that an actor's parameter cannot hold is an error of its maker") {
  troupe::host home{"home"};
  CHECK_THROWS_AS(static_cast<void>(troupe::spawn<of_unsigned>(-1)),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(home.spawn<of_unsigned>(256)),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(
                    troupe::spawn<of_unsigned>(troupe::placement::here, 256)),
                  troupe::invalid_argument);
  caf::anon_send(troupe::spawn<of_unsigned>(255), caf::close_atom_v);
}

TEST_CASE("a process of one actor ends with it") {
  // Those of the tests before may still be on their way out.
  REQUIRE(troupe::test::eventually([] { return processes() == 0; }));
  const auto before = processes();
  const auto actor = troupe::spawn<echo>();
  CHECK(processes() == before + 1);
  caf::anon_send(actor, caf::close_atom_v);
  CHECK(troupe::test::eventually([&] { return processes() == before; }));
}

TEST_CASE(
  "an actor that calls exit ends its process, and who watches is told") {
  caf::scoped_actor self{troupe::actor_system()};
  const auto actor = troupe::spawn<leaver>();
  self->monitor(actor);
  self->send(actor, std::int32_t{3});
  std::string reason;
  self->receive(
    [&](const caf::down_msg& down) {
      reason = troupe::transport::text_of(down.reason);
    },
    caf::after(20s) >> [] {});
  CHECK(reason.find("exited with code 3") != std::string::npos);
  CHECK(troupe::start<leaves_from_here>().join().description()
        == "exited with code 4");
}

TEST_CASE("a host ends with its handle, and tells its actors") {
  caf::scoped_actor self{troupe::actor_system()};
  caf::actor actor;
  troupe::process_view view;
  {
    troupe::host house{"house"};
    view = house.view();
    actor = house.spawn<echo>();
    self->monitor(actor);
    CHECK(view.is_alive());
  }
  CHECK(!view.is_alive());
  bool told = false;
  self->receive(
    [&](const caf::down_msg& down) {
      told = down.reason == caf::exit_reason::user_shutdown;
    },
    caf::after(20s) >> [] {});
  CHECK(told);
}

TEST_CASE("a process may end while its actors live that others know") {
  const auto other = troupe::spawn<echo>();
  const troupe::queue<caf::actor> handles;
  const auto child = troupe::start<leave_actors>(handles, other);
  CHECK(troupe::test::passed(child));
  caf::anon_send(other, caf::close_atom_v);
}

TEST_CASE("moved hosts go on") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host first{"first"};
  troupe::host second = std::move(first);
  CHECK(ask_actor(second.spawn<echo>(), 3) == 3);
  // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tested.
  CHECK_THROWS_AS(static_cast<void>(first.spawn<echo>()),
                  troupe::invalid_state);
}

TEST_CASE("what stands on the command line for CAF counts in every process") {
  for (const std::string role : {"threads", "threads_in_child"}) {
    CAPTURE(role);
    troupe::test::launched program{
      {troupe::test::beside_this_program("runtime_role"), role,
       "--caf.scheduler.max-threads=3"}};
    CHECK(program.wait() == 0);
    CHECK(program.output().find("threads: 3") != std::string::npos);
  }
}
