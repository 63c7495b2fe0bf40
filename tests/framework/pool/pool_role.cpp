// SPDX-License-Identifier: BSL-1.0

// Programs with a pool that tests run and interrupt from outside:
// `pool_role ROLE`. Each that waits prints "ready" once its children are at
// work.

#include <troupe/memory/reference.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/pool/print_end.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/value.hpp>

#include <support/eventually.hpp>
#include <support/sleeping.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using troupe::test::await;

/// How many tasks have begun, and who has ended.
using tally = troupe::value<int>;

void sleep_for_ever(int, tally begun) {
  ++begun;
  troupe::test::sleep_for_ever();
}

/// Listens, and does not end.
void sleep_on(int, tally begun) {
  static_cast<void>(troupe::interrupt_token());
  sleep_for_ever(0, begun);
}

int work_until_asked(int number, tally begun) {
  const auto asked = troupe::interrupt_token();
  ++begun;
  await([&] { return asked.stop_requested(); });
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
    await([&] { return begun >= 2; });
    std::cout << "ready" << std::endl;
    await([] { return troupe::interrupted(); });
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
    // The token is set by a thread, after `interrupted()`.
    await([&] { return asked.stop_requested(); });
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
    {.size = 2}, troupe::worker_hooks{}.on_start<listen>().on_end<tidy_up>()};
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

void leave(int code) {
  std::exit(code);
}

/// What a static object of the program does in the end.
struct last_act {
  ~last_act() {
    if (what)
      what();
  }
  std::function<void()> what;
};
last_act outlives_the_run;

/// Ends with tasks on the way, in a pool that lives on, and read by a thread.
int exits() {
  static const tally begun{0};
  static troupe::pool lasting{2};
  troupe::pool pool{2};
  auto open = pool.apply_async<sleep_for_ever>(0, begun);
  auto other = lasting.apply_async<sleep_for_ever>(0, begun);
  std::thread{[&] {
    try {
      open.get();
    } catch (const troupe::cancelled&) {
    }
    troupe::test::sleep_for_ever();
  }}.detach();
  await([] { return begun >= 2; });
  leave(3);
  return 0;
}

/// Plays a role in a process of the run.
template <auto Role>
int in_child() {
  std::cout << troupe::start([] { Role(); }).join().description() << std::endl;
  return 0;
}

/// A thread calls exit while the main thread waits for a pool. It ends when a
/// child does, some time after the pool.
int thread_exits() {
  const tally begun{0};
  troupe::pool pool{2};
  std::thread{[begun] {
    await([&] { return begun >= 2; });
    troupe::start([] {
      // Time: in which main, whose pool has ended, must not go on.
      std::this_thread::sleep_for(300ms);
    }).detach();
    leave(3);
  }}.detach();
  static_cast<void>(pool.starmap<sleep_for_ever>(many(begun), 1));
  return 0;
}

/// The main thread exits while another waits for a pool that lives on.
int main_exits() {
  static auto& begun = *new tally{0};
  static auto& pool = *new std::unique_ptr<troupe::pool>;
  outlives_the_run.what = [] { pool.reset(); };
  pool = std::make_unique<troupe::pool>(2);
  std::thread{[] {
    static_cast<void>(pool->starmap<sleep_for_ever>(many(begun), 1));
  }}.detach();
  await([] { return begun >= 2; });
  leave(3);
  return 0;
}

int twice(int number) {
  return 2 * number;
}

const char* right(troupe::pool& pool) {
  const auto result = pool.map<twice>(std::views::iota(0, 50), 1);
  for (int i = 0; i < 50; ++i)
    if (result[static_cast<std::size_t>(i)] != 2 * i)
      return "wrong";
  return "right";
}

const char* flag() {
  return std::getenv("POOL_ROLE_NO_SERVER");
}

/// Kills one worker after the other when no process can be started any more.
int refused() {
  std::atomic<int> refusals = 0;
  troupe::pool pool{{.size = 2,
                     .intensity = 4,
                     .report = [&](const troupe::restart_report& what) {
                       ++refusals;
                       troupe::pooling::print_end(what);
                     }}};
  // Both are there, and none is being made any more.
  for (const auto& each : pool.workers())
    static_cast<void>(each.pid());
  std::cout << "with both: " << right(pool) << std::endl;
  std::ofstream{flag()} << "no more";
  const auto server
    = troupe::memory::run_memory::current().header().fork_server.load();
  ::kill(server, SIGKILL);
  // Until it is given up a start takes as long as the server's next one.
  await([] {
    return troupe::start([] {}).join().description().starts_with("lost");
  });
  const auto workers = pool.workers();
  workers.front().kill();
  // Its end, and the refusal to make another.
  while (refusals < 2)
    static_cast<void>(right(pool));
  std::cout << "with one: " << right(pool) << std::endl;
  workers.back().kill();
  try {
    for (;;)
      static_cast<void>(pool.apply<twice>(1));
  } catch (const troupe::error& failure) {
    std::cout << "broken: " << failure.what() << std::endl;
  }
  return 0;
}

int too_large() {
  for (const std::uint32_t size : {100U, 4'000'000'000U})
    try {
      troupe::pool pool{size};
    } catch (const troupe::limit_reached& failure) {
      std::cout << size << " are too large: " << failure.what() << std::endl;
    }
  std::cout
    << "started: "
    << troupe::memory::run_memory::current().own_slot().children_started.load()
    << std::endl;
  std::cout << "children: " << troupe::active_children().size() << std::endl;
  troupe::pool pool{20};
  std::cout << "smaller: " << right(pool) << std::endl;
  return 0;
}

/// Larger than what lies in a mailbox itself.
std::string large(int number) {
  return std::string(4U << 20, static_cast<char>('a' + number));
}

/// Takes every handle that this process may hold.
std::vector<troupe::memory::reference> take_all_handles() {
  std::vector<troupe::memory::reference> result;
  try {
    for (;;)
      result.push_back(troupe::memory::reference::create(
        troupe::memory::object_kind::block, 8));
  } catch (const troupe::limit_reached&) {
    return result;
  }
}

/// A result comes that this process has no handle for: to one who waits, and to
/// one who does not.
int no_handles() {
  troupe::pool pool{1};
  static_cast<void>(pool.apply<large>(0));
  auto results = pool.imap<large>(std::views::iota(0, 2));
  auto held = take_all_handles();
  try {
    static_cast<void>(results.next());
  } catch (const troupe::limit_reached& failure) {
    std::cout << "waiting: " << failure.what() << std::endl;
  }
  held.clear();
  for (int number = 0; number < 2; ++number)
    std::cout << "then: " << (results.next() == large(number)) << std::endl;
  held = take_all_handles();
  std::atomic<bool> called = false;
  auto result = pool.apply_async<large>(2);
  result.when_done([&] { called = true; });
  await([&] { return called.load(); });
  held.clear();
  try {
    static_cast<void>(result.get());
  } catch (const troupe::limit_reached& failure) {
    std::cout << "called back: " << failure.what() << std::endl;
  }
  try {
    static_cast<void>(pool.apply<twice>(1));
  } catch (const troupe::limit_reached&) {
    std::cout << "broken" << std::endl;
  }
  pool.close();
  pool.join();
  return 0;
}

void refuse(const char* why) {
  throw std::runtime_error{why};
}

/// Callbacks that throw, on the pool's thread and on this one.
int callbacks_throw() {
  troupe::pool pool{{.size = 1, .name = "kitchen"}};
  pool.on_progress([](std::size_t, std::size_t) { refuse("no progress"); });
  std::cout << "with progress: " << right(pool) << std::endl;
  const troupe::value<int> open{0};
  const auto result = pool.apply_async(
    [](troupe::value<int> until) { await([&] { return until != 0; }); }, open);
  std::atomic<bool> called = false;
  result.when_done([] { refuse("no first"); });
  result.when_done([&] { called = true; });
  open.store(1);
  await([&] { return called.load(); });
  result.when_done([] { refuse("no last"); });
  std::cout << "after all: " << right(pool) << std::endl;
  return 0;
}

/// A pool that is ended by nobody, or after the run.
template <bool Never>
int forgets() {
  static std::unique_ptr<troupe::pool> only;
  only = std::make_unique<troupe::pool>(2);
  std::cout << "forgotten: " << right(*only) << std::endl;
  // Known to the leak checker, which is right to mind otherwise.
  static std::atomic<troupe::pool*> kept;
  if (Never)
    kept = only.release();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (flag() != nullptr && std::getenv("TROUPE_SUMMONS") != nullptr
      && std::ifstream{flag()})
    return 1;
  troupe::run_options options;
  if (argc > 1 && std::string_view{argv[1]} == "too_large")
    options.size.processes = 64;
  if (argc > 1 && std::string_view{argv[1]} == "no_handles")
    options.size.handles = 512;
  // Nothing here may need it.
  options.grace = 5min;
  troupe::program program{argc, argv, options};
  const std::map<std::string_view, std::function<int()>> roles{
    {"maps", maps<sleep_for_ever>},
    {"sleeps_on", maps<sleep_on>},
    {"listens", listens},
    {"polite", polite},
    {"exits", exits},
    {"child_exits", in_child<exits>},
    {"thread_exits", thread_exits},
    {"child_thread_exits", in_child<thread_exits>},
    {"main_exits", main_exits},
    {"refused", refused},
    {"too_large", too_large},
    {"forgets", forgets<true>},
    {"ends_late", forgets<false>},
    {"no_handles", no_handles},
    {"callbacks_throw", callbacks_throw},
  };
  const auto found = roles.find(argc > 1 ? argv[1] : "");
  return found != roles.end() ? found->second() : 99;
}
