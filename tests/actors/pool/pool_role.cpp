// SPDX-License-Identifier: BSL-1.0

// Programs with a pool or a supervisor that tests interrupt from outside:
// `pool_role ROLE`. Each prints "ready" once its children are at work.

#include <troupe/pool/pool.hpp>
#include <troupe/pool/supervisor.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/value.hpp>

#include <caf/event_based_actor.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <ranges>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;

/// How many tasks have begun, and who has ended.
using tally = troupe::value<int>;

void sleep_for_ever(int, tally begun) {
  ++begun;
  for (;;)
    ::pause();
}

void sleep_deaf(int, tally begun) {
  std::signal(SIGINT, SIG_IGN);
  sleep_for_ever(0, begun);
}

int work_until_asked(int number, tally begun) {
  const auto asked = troupe::interrupt_token();
  ++begun;
  while (!asked.stop_requested())
    std::this_thread::sleep_for(1ms);
  return number;
}

void tidy_up() {
  std::cout << "a worker tidies up" << std::endl;
}

void listen() {
  static_cast<void>(troupe::interrupt_token());
}

/// Prints "ready" once two tasks have begun, and "told" after Ctrl-C.
std::jthread herald(const tally& begun) {
  return std::jthread{[begun] {
    while (begun < 2)
      std::this_thread::sleep_for(1ms);
    std::cout << "ready" << std::endl;
    while (!troupe::interrupted())
      std::this_thread::sleep_for(1ms);
    std::cout << "told" << std::endl;
  }};
}

auto many(const tally& begun) {
  std::vector<std::tuple<int, tally>> result;
  for (int i = 0; i < 100; ++i)
    result.emplace_back(i, begun);
  return result;
}

/// Says what a map came to; there are two workers.
template <auto F>
void tell(troupe::pool& pool, const tally& begun) {
  try {
    static_cast<void>(pool.starmap<F>(many(begun), 1));
    std::cout << "the map has ended" << std::endl;
  } catch (const troupe::cancelled& failure) {
    std::cout << failure.what() << std::endl;
  }
}

/// Does not listen, and waits for a map.
template <auto F>
int maps() {
  const tally begun{0};
  troupe::pool pool{2};
  const auto told = herald(begun);
  static_cast<void>(pool.starmap<F>(many(begun), 1));
  return 0;
}

/// Listens, hears of its map, and tries again.
int listens() {
  const auto asked = troupe::interrupt_token();
  const tally begun{0};
  {
    troupe::pool pool{2};
    {
      const auto told = herald(begun);
      tell<sleep_for_ever>(pool, begun);
    }
    std::cout << "asked: " << asked.stop_requested() << "; begun: " << begun
              << std::endl;
    tell<sleep_for_ever>(pool, begun);
    pool.close();
    pool.join();
  }
  std::cout << "main ends" << std::endl;
  return 0;
}

/// Workers that listen, in a program that listens.
int polite() {
  const auto asked = troupe::interrupt_token();
  const tally begun{0};
  troupe::pool pool{
    {.size = 2},
    troupe::worker_hooks{}.on_start<listen>().on_end<tidy_up>()};
  std::vector<troupe::task_future<int>> results;
  for (int number = 0; number < 100; ++number)
    results.push_back(pool.apply_async<work_until_asked>(number, begun));
  const auto told = herald(begun);
  int done = 0;
  int cancelled = 0;
  for (auto& each : results)
    try {
      static_cast<void>(each.get());
      ++done;
    } catch (const troupe::cancelled&) {
      ++cancelled;
    }
  std::cout << "done: " << done << "; cancelled: " << cancelled << std::endl;
  pool.close();
  pool.join();
  return 0;
}

/// A supervisor whose children listen to nothing.
int supervises() {
  const auto asked = troupe::interrupt_token();
  const auto child = [](const char* id) {
    return troupe::child(id, [](caf::event_based_actor*) -> caf::behavior {
      return {[](int) {}};
    });
  };
  troupe::supervisor shop{{.intensity = 1000,
                           .report =
                             [](const troupe::restart_report&) {
                               std::cout << "restarted" << std::endl;
                             }},
                          {child("a"), child("b")}};
  std::cout << "ready" << std::endl;
  while (shop.is_alive())
    std::this_thread::sleep_for(1ms);
  std::cout << "it gave way; asked: " << asked.stop_requested() << std::endl;
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  troupe::run_options options;
  // Nothing here may need it.
  options.grace = 5min;
  troupe::program program{argc, argv, options};
  const std::map<std::string_view, std::function<int()>> roles{
    {"maps", maps<sleep_for_ever>},
    {"deaf", maps<sleep_deaf>},
    {"listens", listens},
    {"polite", polite},
    {"supervises", supervises},
  };
  const auto found = roles.find(argc > 1 ? argv[1] : "");
  return found != roles.end() ? found->second() : 99;
}
