// SPDX-License-Identifier: BSL-1.0
//
// A program of its own for remote.test.cpp: its key is in TROUPE_TEST_KEY.
//
//   remote_role serve HOST          publishes a state, prints where, waits
//   remote_role add ADDRESS N       adds to the list "numbers" N times
//   remote_role hold ADDRESS        takes the lock "lock", and waits for ever
//   remote_role lock ADDRESS        waits for that lock
//   remote_role get ADDRESS         waits for an item of the queue "tasks"
//   remote_role use ADDRESS         makes a list, takes the lock, and waits for
//                                   an item
//
// TROUPE_TEST_SILENCE is its `limits::silence` in milliseconds.

#include <troupe/base/error.hpp>
#include <troupe/network/connect.hpp>
#include <troupe/network/publish.hpp>
#include <troupe/process/program.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/mutex.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/value.hpp>

#include <support/sleeping.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include <framework/state/account.hpp>

namespace held = troupe::held;
namespace network = troupe::network;

namespace {

network::key shared() {
  const char* secret = std::getenv("TROUPE_TEST_KEY");
  return network::key{secret == nullptr ? "" : secret};
}

network::limits patience() {
  network::limits bounds;
  if (const char* silence = std::getenv("TROUPE_TEST_SILENCE"))
    bounds.silence = std::chrono::milliseconds{std::atoi(silence)};
  return bounds;
}

void wait_for_ever() {
  troupe::test::sleep_for_ever();
}

int serve(const std::string& host) {
  const troupe::state here{"published"};
  troupe::state::offer<account, &account::deposit, &account::withdraw,
                       &account::balance>();
  here.bind("numbers", here.make<held::list<int>>());
  here.bind("lock", here.make<held::mutex>());
  here.bind("tasks", here.make<held::queue<std::string>>());
  here.bind("savings", here.make<account>("Sam", 100));
  const auto where = network::publish(here, network::address{host, 0}, shared(),
                                      patience());
  // The test kills this one for the state's end, and the root for all.
  std::cout << "at " << to_string(where) << "\nstate " << here.process().pid()
            << std::endl;
  wait_for_ever();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const std::string_view role{argc > 2 ? argv[1] : ""};
  try {
    if (role == "serve")
      return serve(argv[2]);
    const auto far = troupe::connect(
      network::address::parse(argc > 2 ? argv[2] : ""), shared(), patience());
    if (role == "get") {
      const auto tasks = far.find<held::queue<std::string>>("tasks");
      std::cout << (tasks.empty() ? "getting" : "there is one") << std::endl;
      std::cout << tasks.get() << std::endl;
      return 0;
    }
    if (role == "use") {
      const auto own = far.make<held::list<int>>({1, 2});
      const auto lock = far.find<held::mutex>("lock");
      lock.lock();
      const auto tasks = far.find<held::queue<std::string>>("tasks");
      auto item = tasks.call_async<&held::waiting_queue<std::string>::get>();
      // Answered behind the one before: that one waits by now.
      std::cout << (tasks.empty() ? "using" : "there is one") << std::endl;
      std::cout << item.get() << std::endl;
      return 0;
    }
    if (role == "add") {
      const auto numbers = far.find<held::list<int>>("numbers");
      for (int i = 0; i < std::atoi(argv[3]); ++i)
        numbers.push_back(i);
      std::cout << "added" << std::endl;
      return 0;
    }
    const auto lock = far.find<held::mutex>("lock");
    if (role == "lock")
      std::cout << (lock.try_lock() ? "it is free" : "it is taken")
                << std::endl;
    lock.lock();
    std::cout << "holding" << std::endl;
    if (role == "hold")
      wait_for_ever();
    return 0;
  } catch (const troupe::error& failed) {
    std::cout << to_string(failed.code()) << ": " << failed.what() << std::endl;
    return 1;
  }
}
