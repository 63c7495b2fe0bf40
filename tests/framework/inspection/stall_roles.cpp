// SPDX-License-Identifier: BSL-1.0
// stall_role CASE
//
// Each case is a program that stands still for ever, or one that looks so to
// who does not look closely. None ends by itself: the test ends it.
#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/inspection/stall_reporter.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/state/call.hpp>
#include <troupe/state/proxy.hpp>
#include <troupe/state/state.hpp>
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/condition.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/semaphore.hpp>

#include <support/sleeping.hpp>

#include <chrono>
#include <csignal>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>

using namespace std::chrono_literals;
using troupe::test::sleep_for_ever;

namespace {

troupe::start_options named(const char* name) {
  troupe::start_options result;
  result.name = name;
  return result;
}

// Deadlocks -------------------------------------------------------------------

/// Locks the first, meets the others, and locks the second.
void lock_both(troupe::mutex first, troupe::mutex second,
               troupe::barrier all_have_one) {
  const std::scoped_lock one{first};
  all_have_one.arrive_and_wait();
  const std::scoped_lock other{second};
}

void two_locks() {
  const troupe::mutex a;
  const troupe::mutex b;
  const troupe::barrier both{2};
  const auto accounts = troupe::start<lock_both>(named("accounts"), a, b, both);
  const auto audit = troupe::start<lock_both>(named("audit"), b, a, both);
  accounts.join();
}

void two_locks_reported() {
  const troupe::inspection::stall_reporter reporter{500ms};
  two_locks();
}

void three_locks() {
  const troupe::mutex a;
  const troupe::mutex b;
  const troupe::mutex c;
  const troupe::barrier all{3};
  const auto one = troupe::start<lock_both>(named("one"), a, b, all);
  const auto two = troupe::start<lock_both>(named("two"), b, c, all);
  const auto three = troupe::start<lock_both>(named("three"), c, a, all);
  one.join();
}

void take_one(troupe::queue<int> from) {
  static_cast<void>(from.get());
}

void joins_its_reader() {
  const troupe::queue<int> items;
  const auto reader = troupe::start<take_one>(named("reader"), items);
  reader.join();
  items.put(1);
}

void fill(troupe::queue<int> into) {
  for (int i = 0; i < 100; ++i)
    into.put(i);
}

void joins_its_writer() {
  const troupe::queue<int> items{2};
  const auto writer = troupe::start<fill>(named("writer"), items);
  writer.join();
  static_cast<void>(items.get());
}

void meet(troupe::barrier at) {
  at.arrive_and_wait();
}

void barrier_one_short() {
  const troupe::barrier all{3};
  const auto one = troupe::start<meet>(named("one"), all);
  const auto two = troupe::start<meet>(named("two"), all);
  one.join();
}

void wait_for_event(troupe::event of) {
  of.wait();
}

void set_event(troupe::event of) {
  of.set();
}

/// The only worker waits for what the next task would do.
void pool_waits_for_itself() {
  const troupe::event done;
  troupe::pool one{1};
  auto first = one.apply_async<wait_for_event>(done);
  auto second = one.apply_async<set_event>(done);
  second.get();
}

void acquire(troupe::semaphore units) {
  units.acquire();
}

void no_unit_left() {
  const troupe::semaphore units{0};
  const auto one = troupe::start<acquire>(named("one"), units);
  one.join();
}

void wait_for_notice(troupe::condition of, troupe::mutex with) {
  std::unique_lock held{with};
  of.wait(held);
}

void nobody_notifies() {
  const troupe::condition news;
  const troupe::mutex with;
  const auto one = troupe::start<wait_for_notice>(named("one"), news, with);
  one.join();
}

void answer_each(troupe::connection<int> with) {
  for (;;)
    with.send(with.receive() + 1);
}

/// Both ends wait for the other to speak first.
void pipe_both_listen() {
  auto [ours, theirs] = troupe::pipe<int>();
  const auto other = troupe::start<answer_each>(named("other"),
                                                std::move(theirs));
  theirs.close();
  static_cast<void>(ours.receive());
}

void items_never_done() {
  const troupe::queue<int> items;
  items.put(1);
  items.join();
}

struct desk {
  int value = 0;

  int get() const {
    return value;
  }

  void wait_for(troupe::event of) {
    of.wait();
  }
};

/// The state runs a call that waits, and its next client waits behind it.
void state_waits_for_its_client() {
  const troupe::event done;
  const troupe::state held{"desk"};
  auto one = held.make<desk>();
  auto pending = one.call_async<&desk::wait_for>(done);
  static_cast<void>(one.call<&desk::get>());
  done.set();
}

// What only looks so ----------------------------------------------------------

void take_in_time(troupe::queue<int> from) {
  static_cast<void>(from.try_get_for(1h));
}

void deadline_ahead() {
  const troupe::queue<int> items;
  const auto reader = troupe::start<take_in_time>(named("reader"), items);
  reader.join();
}

void hold_and_sleep(troupe::mutex lock, troupe::event held) {
  const std::scoped_lock guard{lock};
  held.set();
  sleep_for_ever();
}

void lock_once(troupe::mutex lock) {
  const std::scoped_lock guard{lock};
}

void slow_holder() {
  const troupe::mutex lock;
  const troupe::event held;
  const auto holder = troupe::start<hold_and_sleep>(named("holder"), lock,
                                                    held);
  held.wait();
  const auto next = troupe::start<lock_once>(named("next"), lock);
  next.join();
}

/// Twice as long as it takes to report, and then it ends.
void slow_holder_for_a_while() {
  const troupe::mutex lock;
  const troupe::event held;
  const auto holder = troupe::start<hold_and_sleep>(named("holder"), lock,
                                                    held);
  held.wait();
  const auto next = troupe::start<lock_once>(named("next"), lock);
  static_cast<void>(next.join_for(1s));
  std::cout << "ends" << std::endl;
  holder.kill();
}

void slow_holder_reported() {
  const troupe::inspection::stall_reporter reporter{200ms};
  slow_holder_for_a_while();
}

void stop_with_lock(troupe::mutex lock, troupe::event held) {
  const std::scoped_lock guard{lock};
  held.set();
  std::raise(SIGSTOP);
}

void stopped_holder() {
  const troupe::mutex lock;
  const troupe::event held;
  const auto holder = troupe::start<stop_with_lock>(named("holder"), lock,
                                                    held);
  held.wait();
  const auto next = troupe::start<lock_once>(named("next"), lock);
  next.join();
}

/// It might put something.
void hold_queue(troupe::queue<int>) {
  sleep_for_ever();
}

void another_holder() {
  const troupe::queue<int> items;
  const auto writer = troupe::start<hold_queue>(named("writer"), items);
  const auto reader = troupe::start<take_one>(named("reader"), items);
  reader.join();
}

/// It might read the mail, and answer.
void hold_mail(troupe::queue<troupe::queue<int>>) {
  sleep_for_ever();
}

/// The only other handle of the reader's queue lies in a queue that nobody has
/// read yet.
void handle_on_its_way() {
  const troupe::queue<troupe::queue<int>> mail;
  const auto writer = troupe::start<hold_mail>(named("writer"), mail);
  troupe::queue<int> items;
  mail.put(items);
  const auto reader = troupe::start<take_one>(named("reader"),
                                              std::move(items));
  items = troupe::queue<int>{};
  reader.join();
}

/// A thread of the root that is in no call of Troupe's may do anything.
void another_thread() {
  const troupe::queue<int> items;
  const auto reader = troupe::start<take_one>(named("reader"), items);
  std::thread other{sleep_for_ever};
  reader.join();
  other.join();
}

void pass_on(troupe::queue<int> from, troupe::queue<int> to, troupe::mutex lock,
             troupe::semaphore units, troupe::value<long> passed) {
  for (;;) {
    const int token = from.get();
    units.acquire();
    {
      const std::scoped_lock guard{lock};
      passed = passed + 1;
    }
    units.release();
    to.put(token);
  }
}

/// Two tokens go round for ever, past one lock and two units; everybody waits
/// most of the time, and the root for all of them.
void traffic() {
  constexpr int stations = 5;
  const troupe::mutex lock;
  const troupe::semaphore units{2};
  const troupe::value<long> passed{0};
  std::vector<troupe::queue<int>> ways;
  for (int i = 0; i < stations; ++i)
    ways.emplace_back(2);
  std::vector<troupe::process> all;
  for (std::size_t i = 0; i < stations; ++i)
    all.push_back(troupe::start<pass_on>(named("station"), ways[i],
                                         ways[(i + 1) % stations], lock, units,
                                         passed));
  ways[0].put(1);
  ways[2].put(2);
  all.front().join();
}

void state_is_idle() {
  const troupe::state held{"desk"};
  const auto one = held.make<desk>();
  static_cast<void>(one.call<&desk::get>());
  sleep_for_ever();
}

/// Nobody but root may look at this one.
void not_dumpable() {
  ::prctl(PR_SET_DUMPABLE, 0);
  std::cout << "hidden" << std::endl;
  sleep_for_ever();
}

const std::map<std::string, std::function<void()>> cases{
  {"two_locks", two_locks},
  {"two_locks_reported", two_locks_reported},
  {"slow_holder_reported", slow_holder_reported},
  {"two_locks_watched", two_locks},
  {"slow_holder_watched", slow_holder_for_a_while},
  {"three_locks", three_locks},
  {"joins_its_reader", joins_its_reader},
  {"joins_its_writer", joins_its_writer},
  {"barrier_one_short", barrier_one_short},
  {"pool_waits_for_itself", pool_waits_for_itself},
  {"no_unit_left", no_unit_left},
  {"nobody_notifies", nobody_notifies},
  {"pipe_both_listen", pipe_both_listen},
  {"items_never_done", items_never_done},
  {"state_waits_for_its_client", state_waits_for_its_client},
  {"deadline_ahead", deadline_ahead},
  {"slow_holder", slow_holder},
  {"stopped_holder", stopped_holder},
  {"another_holder", another_holder},
  {"handle_on_its_way", handle_on_its_way},
  {"another_thread", another_thread},
  {"state_is_idle", state_is_idle},
  {"traffic", traffic},
  {"not_dumpable", not_dumpable},
};

} // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  troupe::run_options options;
  if (name == "two_locks_watched" || name == "slow_holder_watched")
    options.report_stall = 500ms;
  troupe::program program{argc, argv, options};
  const auto found = cases.find(name);
  if (found == cases.end()) {
    std::cerr << "no such case\n";
    return 2;
  }
  std::cout << "begins" << std::endl;
  found->second();
}
