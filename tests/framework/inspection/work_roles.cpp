// SPDX-License-Identifier: BSL-1.0
// work_role CASE
//
// Each case is a program that has something to do; tests look at it from
// outside, trace it, or read what it reports at its end.
#include <troupe/channel/queue.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>

#include <support/blocked.hpp>
#include <support/eventually.hpp>
#include <support/sleeping.hpp>

#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using troupe::test::await_blocked_on;
using troupe::test::wait_kind;

namespace {

using clock_type = std::chrono::steady_clock;

troupe::start_options named(const char* name) {
  troupe::start_options result;
  result.name = name;
  return result;
}

// A pool in the middle of its work --------------------------------------------

int bake(troupe::event begun) {
  begun.set();
  troupe::test::sleep_for_ever();
}

int nap(int milliseconds) {
  const auto begin = clock_type::now();
  // Time: how long a task takes, which is what is measured.
  std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
  return static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(
                            clock_type::now() - begin)
                            .count());
}

int knead(int loaf) {
  return loaf;
}

/// Two workers, which have run four tasks and are each in a slow one; three
/// more wait, for of tasks that are not quick none are sent ahead.
void pool_at_work() {
  const troupe::event begun;
  troupe::pool pool{{.size = 2, .name = "bakery"}};
  static_cast<void>(pool.map<nap>(std::vector{20, 20, 20, 20}, 1));
  std::vector<troupe::task_future<int>> loaves;
  for (int i = 0; i < 5; ++i)
    loaves.push_back(pool.apply_async<bake>(begun));
  begun.wait();
  std::cout << "works" << std::endl;
  troupe::test::sleep_for_ever();
}

// A queue through which items go ----------------------------------------------

void put_steadily(troupe::queue<int> into) {
  for (int i = 0;; ++i) {
    into.put(i);
    // Time: the rate, which is what is measured.
    std::this_thread::sleep_for(1ms);
  }
}

/// Three items lie in the queue that nobody takes, behind ten that were taken;
/// the other has one writer and one reader.
void queues_in_use() {
  const troupe::queue<int> left;
  for (int i = 0; i < 10; ++i)
    left.put(i);
  for (int i = 0; i < 10; ++i)
    static_cast<void>(left.get());
  static_cast<void>(left.try_get_for(1ms));
  for (int i = 0; i < 3; ++i)
    left.put(i);
  const troupe::queue<int> steady;
  const auto writer = troupe::start<put_steadily>(named("writer"), steady);
  std::cout << "works" << std::endl;
  for (;;)
    static_cast<void>(steady.get());
}

// What is traced --------------------------------------------------------------

void hold_often(troupe::mutex lock, troupe::event held, troupe::event gone) {
  for (int i = 0; i < 5; ++i) {
    {
      const std::scoped_lock guard{lock};
      held.set();
      static_cast<void>(await_blocked_on(lock.id(), wait_kind::lock));
      // Time: how long the other waits, which is what is measured.
      std::this_thread::sleep_for(60ms);
    }
    gone.wait();
    gone.clear();
  }
}

/// Waits for the lock five times; tells how long that took.
void lock_often(troupe::mutex lock, troupe::event held, troupe::event gone) {
  std::chrono::nanoseconds sum{0};
  for (int i = 0; i < 5; ++i) {
    held.wait();
    held.clear();
    const auto begin = clock_type::now();
    {
      const std::scoped_lock guard{lock};
    }
    sum += clock_type::now() - begin;
    gone.set();
  }
  std::cout
    << "waited "
    << std::chrono::duration_cast<std::chrono::microseconds>(sum).count()
    << " us" << std::endl;
}

/// Begins once it is traced: 20 processes, one after the other, that end at
/// once.
void brief_processes() {
  troupe::test::await([] { return troupe::memory::is_traced(); });
  for (int i = 0; i < 20; ++i) {
    troupe::start_options options;
    options.name = "a process with number " + std::to_string(i);
    troupe::start(options, [] {}).join();
  }
}

/// Begins once it is traced: five waits for a lock, and eight tasks; tells how
/// long these took.
void spans() {
  troupe::test::await([] { return troupe::memory::is_traced(); });
  const troupe::mutex lock;
  const troupe::event held;
  const troupe::event gone;
  const auto holder = troupe::start<hold_often>(named("holder"), lock, held,
                                                gone);
  const auto next = troupe::start<lock_often>(named("next"), lock, held, gone);
  holder.join();
  next.join();
  troupe::pool pool{{.size = 2, .name = "bakery"}};
  long sum = 0;
  for (const auto each :
       pool.map<nap>(std::vector{20, 20, 20, 20, 30, 30, 30, 30}, 1))
    sum += each;
  std::cout << "napped " << sum << " us" << std::endl;
  pool.close();
  pool.join();
}

// What is reported at the end -------------------------------------------------

void hold_for_long(troupe::mutex lock, troupe::event held) {
  const std::scoped_lock guard{lock};
  held.set();
  static_cast<void>(await_blocked_on(lock.id(), wait_kind::lock));
  // Time: how long the other waits, which is what is measured.
  std::this_thread::sleep_for(300ms);
}

void lock_once(troupe::mutex lock) {
  const std::scoped_lock guard{lock};
}

/// A lock that is waited for, a queue that gets 100 deep, a pool with one slow
/// task.
void reported() {
  const troupe::mutex lock;
  const troupe::event held;
  const auto holder = troupe::start<hold_for_long>(named("holder"), lock, held);
  held.wait();
  const auto next = troupe::start<lock_once>(named("next"), lock);
  const troupe::queue<int> items;
  for (int i = 0; i < 100; ++i)
    items.put(i);
  for (int i = 0; i < 100; ++i)
    static_cast<void>(items.get());
  troupe::pool pool{{.size = 2, .name = "bakery"}};
  static_cast<void>(pool.map<nap>(std::vector{1, 150, 1, 1, 1, 1, 1}, 1));
  next.join();
  holder.join();
}

/// Many quick tasks, each alone.
void quick_tasks() {
  troupe::pool pool{{.size = 2, .name = "bakery"}};
  for (int i = 0; i < 300; ++i)
    static_cast<void>(pool.apply<knead>(i));
  // Time: in which the workers wait, which is what is measured.
  std::this_thread::sleep_for(200ms);
}

void nothing() {
}

void killed_at_work() {
  troupe::pool pool{{.size = 2, .name = "bakery"}};
  const troupe::event begun;
  const auto loaf = pool.apply_async<bake>(begun);
  begun.wait();
}

const std::map<std::string, std::function<void()>> cases{
  {"pool_at_work", pool_at_work},
  {"queues_in_use", queues_in_use},
  {"spans", spans},
  {"brief_processes", brief_processes},
  {"reported", reported},
  {"quick_tasks", quick_tasks},
  {"nothing", nothing},
  {"killed_at_work", killed_at_work},
};

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const auto found = cases.find(argc > 1 ? argv[1] : "");
  if (found == cases.end()) {
    std::cerr << "no such case\n";
    return 2;
  }
  std::cout << "begins" << std::endl;
  found->second();
}
