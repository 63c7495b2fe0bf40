// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/network/connect.hpp>
#include <troupe/network/publish.hpp>
#include <troupe/network/publish_messages.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/event.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/mutex.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/state_actor.hpp>
#include <troupe/state/value.hpp>

#include <caf/scoped_actor.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "shared_key.hpp"
#include <framework/state/account.hpp>

namespace held = troupe::held;
namespace network = troupe::network;
using namespace std::chrono_literals;
using troupe::state;
using troupe::test::beside_this_program;
using troupe::test::eventually;
using troupe::test::launched;
using troupe::test::shared;

namespace {

troupe::test::launch_options with_key() {
  troupe::test::launch_options options;
  options.environment
    = {std::string{"TROUPE_TEST_KEY="} + troupe::test::secret_key};
  return options;
}

/// Whoever is gone is not found by its silence.
troupe::test::launch_options silent() {
  auto options = with_key();
  options.environment.emplace_back("TROUPE_TEST_SILENCE=3600000");
  return options;
}

network::limits silent_limits() {
  network::limits bounds;
  bounds.silence = 1h;
  return bounds;
}

/// The state of another program.
struct server {
  explicit server(const std::string& host = "127.0.0.1",
                  const troupe::test::launch_options& options = with_key())
    : program{{beside_this_program("remote_role"), "serve", host}, options} {
    REQUIRE(program.wait_for("state "));
    REQUIRE(eventually([&] { return program.wait_for("\n"); }));
    const auto& text = program.output();
    const auto at = text.find("at ") + 3;
    where = network::address::parse(text.substr(at, text.find('\n') - at));
    state_pid = std::stoi(text.substr(text.find("state ") + 6));
  }

  launched program;
  network::address where;
  int state_pid = 0;
};

} // namespace

TEST_CASE("proxies of a state far away are used as those of a near one") {
  const state near;
  const auto where = network::publish(near, network::address{}, shared());
  const auto far = troupe::connect(where, shared());
  const auto numbers = far.make<held::list<int>>({1, 2, 3});
  numbers.push_back(4);
  CHECK(numbers.snapshot() == std::vector{1, 2, 3, 4});
  const auto ages = far.make<held::dict<std::string, int>>();
  ages.set("Sam", 40);
  CHECK(ages.at("Sam") == 40);
  CHECK_THROWS_AS(static_cast<void>(numbers.at(99)), std::exception);
  CHECK(far.size() == near.size());
}

TEST_CASE("a user's own class, its exceptions and its futures cross") {
  const state near;
  const auto far = troupe::connect(
    network::publish(near, network::address{}, shared()), shared());
  const auto savings = far.make<account>("Sam", 100);
  CHECK(savings.call<&account::deposit>(10) == 110);
  CHECK(savings.update([](account& of, int by) { return of.deposit(by); }, 5)
        == 115);
  auto later = savings.call_async<&account::withdraw>(15);
  CHECK(later.get() == 100);
  try {
    savings.call<&account::withdraw>(1000);
    FAIL("it was taken");
  } catch (const troupe::remote_error& thrown) {
    CHECK(thrown.type() == "std::domain_error");
    CHECK(thrown.text() == "only 100 there");
  }
}

TEST_CASE("near and far clients share objects by name") {
  const state near;
  const auto here = near.make<held::list<int>>({1});
  near.bind("numbers", here);
  const auto far = troupe::connect(
    network::publish(near, network::address{}, shared()), shared());
  const auto there = far.find<held::list<int>>("numbers");
  there.push_back(2);
  CHECK(here.snapshot() == std::vector{1, 2});
  CHECK_THROWS_AS(static_cast<void>(far.find<held::list<int>>("none")),
                  troupe::unknown_name);
}

TEST_CASE("a blocked get far away holds up nobody, and is answered") {
  const state near;
  const auto far = troupe::connect(
    network::publish(near, network::address{}, shared()), shared());
  const auto tasks = near.make<held::queue<int>>();
  near.bind("tasks", tasks);
  const auto far_tasks = far.find<held::queue<int>>("tasks");
  auto taken = std::async(std::launch::async, [&] { return far_tasks.get(); });
  CHECK_FALSE(far_tasks.try_get_for(1ms).has_value());
  CHECK(far.size() == 1);
  tasks.put(7);
  CHECK(taken.get() == 7);
}

TEST_CASE("what a state far away holds is waited for beside other things") {
  const state near;
  const auto tasks = near.make<held::queue<int>>();
  const auto news = near.make<held::event>();
  near.bind("tasks", tasks);
  near.bind("news", news);
  const auto far = troupe::connect(
    network::publish(near, network::address{}, shared()), shared());
  const auto far_tasks = far.find<held::queue<int>>("tasks");
  const auto far_news = far.find<held::event>("news");
  const troupe::queue<int> numbers;
  CHECK(troupe::wait_any(far_tasks, far_news, numbers, 5ms) == 3);
  auto writer = troupe::start([](held::queue<int> to) { to.put(1); }, tasks);
  CHECK(troupe::wait_any(numbers, far_news, far_tasks, 60s) == 2);
  CHECK(far_tasks.get() == 1);
  CHECK(troupe::wait_any(numbers, far_news, 0s) == 2);
  news.set();
  CHECK(troupe::wait_any(numbers, far_news, 0s) == 1);
  auto item = far_tasks.call_async<&held::waiting_queue<int>::get>();
  CHECK(troupe::wait_any(numbers, item, 5ms) == 2);
  tasks.put(2);
  CHECK(troupe::wait_any(numbers, item, 60s) == 1);
  CHECK(item.get() == 2);
  CHECK(writer.join().success());
}

TEST_CASE(
  "what a killed program far away held is ready, and its use says why") {
  server there;
  const auto far = troupe::connect(there.where, shared());
  const auto tasks = far.find<held::queue<std::string>>("tasks");
  const troupe::queue<int> numbers;
  std::jthread killer{[&] { ::kill(there.state_pid, SIGKILL); }};
  CHECK(troupe::wait_any(numbers, tasks, 60s) == 1);
  CHECK_THROWS_AS(static_cast<void>(tasks.get()), troupe::connection_lost);
}

TEST_CASE("a function that a far program does not name is told by name") {
  server there;
  const auto far = troupe::connect(there.where, shared());
  const auto savings = far.find<account>("savings");
  try {
    static_cast<void>(savings.call<&account::owner>());
    FAIL("it was called");
  } catch (const troupe::unknown_function& refused) {
    const std::string what = refused.what();
    CHECK_MESSAGE(what.find("account::owner") != std::string::npos, what);
    CHECK_MESSAGE(what.find("state::offer<account, &account::owner>()")
                    != std::string::npos,
                  what);
  }
  try {
    savings.update([](account& of) { of.deposit(1); });
    FAIL("it was called");
  } catch (const troupe::unknown_function& refused) {
    const std::string what = refused.what();
    CHECK_MESSAGE(what.find("a lambda of a held account") != std::string::npos,
                  what);
  }
  auto later = savings.call_async<&account::owner>();
  CHECK_THROWS_AS(static_cast<void>(later.get()), troupe::unknown_function);
}

TEST_CASE("a future far away that is dropped takes nothing") {
  const state near;
  const auto tasks = near.make<held::queue<int>>();
  near.bind("tasks", tasks);
  const auto far = troupe::connect(
    network::publish(near, network::address{}, shared()), shared());
  const auto far_tasks = far.find<held::queue<int>>("tasks");
  {
    auto item = far_tasks.call_async<&held::waiting_queue<int>::get>();
    CHECK(item.wait_for(1ms) == std::future_status::timeout);
  }
  // Behind what was said before.
  CHECK(far_tasks.empty());
  tasks.put(1);
  CHECK(tasks.try_get() == 1);
}

TEST_CASE("what is published no more is gone, and the state goes on") {
  const state near;
  const auto lock = near.make<held::mutex>();
  near.bind("lock", lock);
  const auto where = network::publish(near, network::address{}, shared());
  const auto other = network::publish(near, network::address{}, shared());
  const auto far = troupe::connect(where, shared());
  const auto elsewhere = troupe::connect(other, shared());
  const auto far_lock = far.find<held::mutex>("lock");
  far_lock.lock();
  auto blocked = std::async(std::launch::async, [&] { far_lock.lock(); });
  CHECK(network::unpublish(near, where));
  CHECK_THROWS_AS(blocked.get(), troupe::connection_lost);
  CHECK_THROWS_AS(static_cast<void>(far.size()), troupe::connection_lost);
  CHECK_THROWS_AS(static_cast<void>(troupe::connect(where, shared())),
                  troupe::os_failure);
  CHECK(lock.try_lock());
  // What the lost clients held goes when their connections have ended.
  CHECK(
    troupe::test::eventually([&] { return elsewhere.size() == near.size(); }));
  CHECK_FALSE(network::unpublish(near, where));
  // The place is free again.
  CHECK(network::publish(near, where, shared()) == where);
  const auto again = troupe::connect(where, shared());
  CHECK(troupe::test::eventually([&] { return again.size() == near.size(); }));
}

TEST_CASE("a state is published, and published no more, by messages of an "
          "actor") {
  const state near;
  const auto records = near.make<held::list<int>>({1, 2});
  near.bind("records", records);
  caf::scoped_actor self{troupe::actor_system()};
  const auto to = troupe::actor_of(near);
  const auto ask = [&]<class R>(const held::call_for<R>& what) {
    std::optional<R> result;
    self->request(to, 20s, held::call{what})
      .receive([&](
                 const held::answer& got) { result = held::result_in<R>(got); },
               [&](const caf::error& why) { FAIL(to_string(why)); });
    return result.value();
  };
  const auto port = ask(network::call_to_publish(network::address{}, shared()));
  const network::address where{port};
  const auto far = troupe::connect(where, shared());
  CHECK(far.find<held::list<int>>("records").at(1) == 2);
  const auto ended = ask(network::call_to_unpublish(where));
  REQUIRE(ended);
  ended->wait();
  CHECK_THROWS_AS(static_cast<void>(far.size()), troupe::connection_lost);
  CHECK_FALSE(ask(network::call_to_unpublish(where)));
}

TEST_CASE("when a state has ended, the next one is published in its place at "
          "once") {
  network::address where{};
  for (int i = 0; i < 5; ++i) {
    const state near;
    const auto got = network::publish(near, where, shared());
    CHECK((i == 0 || got == where));
    where = got;
    const auto far = troupe::connect(where, shared());
    const auto numbers = far.make<held::list<int>>({i});
    near.end();
    CHECK_THROWS_AS(static_cast<void>(numbers.at(0)), troupe::connection_lost);
  }
}

TEST_CASE("publishing again and again leaves no thread and no stack behind") {
  const state near;
  const auto round = [&] {
    CHECK(network::unpublish(near, network::publish(near, network::address{},
                                                    shared())));
  };
  const auto proc = "/proc/" + std::to_string(near.process().pid());
  // Of a thread that nobody has joined the stack is left: two mappings.
  const auto mappings = [&] {
    std::ifstream file{proc + "/maps"};
    return std::count(std::istreambuf_iterator<char>{file}, {}, '\n');
  };
  const auto threads = [&] {
    return std::distance(std::filesystem::directory_iterator{proc + "/task"},
                         std::filesystem::directory_iterator{});
  };
  for (int i = 0; i < 5; ++i)
    round();
  const auto mappings_before = mappings();
  const auto threads_before = threads();
  for (int i = 0; i < 20; ++i)
    round();
  CHECK(mappings() < mappings_before + 20);
  CHECK(eventually([&] { return threads() <= threads_before; }));
}

TEST_CASE("what only a far client used ends with it, and so do its locks") {
  const state near;
  const auto lock = near.make<held::mutex>();
  near.bind("lock", lock);
  const auto where = network::publish(near, network::address{}, shared());
  std::optional<state> far{troupe::connect(where, shared())};
  std::optional<held::list<int>> own{far->make<held::list<int>>()};
  std::optional<held::mutex> far_lock{far->find<held::mutex>("lock")};
  far_lock->lock();
  CHECK(near.size() == 2);
  CHECK_FALSE(lock.try_lock());
  far_lock.reset();
  own.reset();
  CHECK(eventually([&] { return near.size() == 1; }));
  far.reset();
  CHECK(lock.try_lock_for(20s));
  lock.unlock();
}

TEST_CASE("a far proxy stays in the process that has connected") {
  const state near;
  const auto far = troupe::connect(
    network::publish(near, network::address{}, shared()), shared());
  const auto numbers = far.make<held::list<int>>();
  CHECK_THROWS_AS(static_cast<void>(
                    troupe::start([](held::list<int>) {}, numbers)),
                  troupe::invalid_argument);
}

TEST_CASE("several ends of one state are published side by side") {
  const state near;
  const auto one = network::publish(near, network::address{"127.0.0.1", 0},
                                    shared());
  const auto two = network::publish(near, network::address{"::1", 0},
                                    network::key{"another key for it"});
  CHECK(troupe::connect(one, shared()).size() == 0);
  CHECK(troupe::connect(two, network::key{"another key for it"}).size() == 0);
  CHECK_THROWS_AS(static_cast<void>(troupe::connect(two, shared())),
                  troupe::not_authentic);
  CHECK_THROWS_AS(network::publish(near, one, shared()),
                  troupe::error_of<troupe::errc::os_failure>);
}

TEST_CASE("a state that ends takes its connections along") {
  std::optional<state> near{state{}};
  const auto far = troupe::connect(
    network::publish(*near, network::address{}, shared()), shared());
  const auto tasks = far.make<held::queue<int>>();
  auto taken = std::async(std::launch::async, [&] { return tasks.get(); });
  near.reset();
  CHECK_THROWS_AS(taken.get(), troupe::connection_lost);
  CHECK_THROWS_AS(static_cast<void>(far.size()), troupe::connection_lost);
}

TEST_CASE("two programs lose no update") {
  for (const auto* host : {"127.0.0.1", "::1"}) {
    server there{host};
    const auto far = troupe::connect(there.where, shared());
    const auto numbers = far.find<held::list<int>>("numbers");
    launched one{{beside_this_program("remote_role"), "add",
                  to_string(there.where), "200"},
                 with_key()};
    for (int i = 0; i < 200; ++i)
      numbers.push_back(i);
    CHECK(one.wait() == 0);
    CHECK(numbers.size() == 400);
    const auto savings = far.find<account>("savings");
    CHECK(savings.call<&account::deposit>(1) == 101);
  }
}

TEST_CASE("a program without the right key is told so") {
  server there;
  auto options = with_key();
  options.environment = {"TROUPE_TEST_KEY=not the key for it"};
  launched stranger{{beside_this_program("remote_role"), "add",
                     to_string(there.where), "1"},
                    options};
  CHECK(stranger.wait() != 0);
  CHECK(stranger.output().find("not_authentic: connect to 127.0.0.1:")
        != std::string::npos);
  CHECK(troupe::connect(there.where, shared())
          .find<held::list<int>>("numbers")
          .empty());
}

TEST_CASE("a lock of a killed program far away is freed") {
  server there{"127.0.0.1", silent()};
  const auto far = troupe::connect(there.where, shared(), silent_limits());
  const auto lock = far.find<held::mutex>("lock");
  launched holder{{beside_this_program("remote_role"), "hold",
                   to_string(there.where)},
                  silent()};
  REQUIRE(holder.wait_for("holding"));
  CHECK_FALSE(lock.try_lock());
  holder.signal(SIGKILL);
  CHECK(lock.try_lock_for(20s));
  lock.unlock();
}

TEST_CASE("a killed program far away takes along what it used, held and "
          "waited for") {
  server there{"127.0.0.1", silent()};
  const auto far = troupe::connect(there.where, shared(), silent_limits());
  const auto lock = far.find<held::mutex>("lock");
  const auto tasks = far.find<held::queue<std::string>>("tasks");
  const auto before = far.size();
  launched user{{beside_this_program("remote_role"), "use",
                 to_string(there.where)},
                silent()};
  REQUIRE(user.wait_for("using"));
  CHECK(far.size() == before + 1);
  CHECK_FALSE(lock.try_lock());
  user.signal(SIGKILL);
  CHECK(eventually([&] { return far.size() == before; }));
  CHECK(lock.try_lock_for(20s));
  lock.unlock();
  // The dead call would have had it.
  tasks.put("later");
  CHECK(tasks.try_get() == "later");
}

TEST_CASE("calls on their way to a killed state fail at once") {
  server there{"127.0.0.1", silent()};
  const auto far = troupe::connect(there.where, shared(), silent_limits());
  const auto tasks = far.find<held::queue<std::string>>("tasks");
  std::vector<std::future<std::string>> taken;
  for (int i = 0; i < 3; ++i)
    taken.push_back(
      std::async(std::launch::async, [&] { return tasks.get(); }));
  // Whether they have arrived or are on their way: both must fail.
  CHECK(tasks.empty());
  ::kill(there.state_pid, SIGKILL);
  for (auto& each : taken)
    CHECK_THROWS_AS(each.get(), troupe::connection_lost);
  CHECK_THROWS_AS(tasks.put("more"), troupe::connection_lost);
}

TEST_CASE("a state that is stopped is lost when its time is over") {
  server there;
  network::limits bounds;
  bounds.silence = 1s;
  const auto far = troupe::connect(there.where, shared(), bounds);
  const auto tasks = far.find<held::queue<std::string>>("tasks");
  auto taken = std::async(std::launch::async, [&] { return tasks.get(); });
  const auto before = std::chrono::steady_clock::now();
  ::kill(there.state_pid, SIGSTOP);
  CHECK_THROWS_AS(taken.get(), troupe::connection_lost);
  // 1.4 × silence, and what a busy machine takes besides.
  CHECK(std::chrono::steady_clock::now() - before < 1'400ms + 5s);
  CHECK_THROWS_AS(static_cast<void>(far.size()), troupe::connection_lost);
}
