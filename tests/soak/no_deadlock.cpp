// SPDX-License-Identifier: BSL-1.0

// no_deadlock SECONDS [SEED]: random programs in which everybody waits for
// somebody most of the time, and none of which ever stands still: slow holders,
// deadlines, timers, stopped processes, handles on their way, threads that wait
// for each other, actors that do all of that in their handlers. `look_while
// --no-alarm` runs it, and `tools/soak --no-alarm` for an hour; both look from
// outside, and the run looks at itself.

#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/state.hpp>
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/condition.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/semaphore.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/all.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace version = troupe::transport::version;

using namespace std::chrono_literals;

/// At a number it sleeps for as many milliseconds in its handler, or lets as
/// many pass and goes on with others; then it takes from one queue, puts into
/// another, and answers.
class clerk : public caf::event_based_actor {
public:
  clerk(caf::actor_config& config, troupe::queue<int> from,
        troupe::queue<int> to)
    : caf::event_based_actor(config),
      from_(std::move(from)),
      to_(std::move(to)) {
  }

  caf::behavior make_behavior() override {
    return {
      [this](int milliseconds) {
        std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
        return pass_on();
      },
      [this](double milliseconds) {
        run_delayed(std::chrono::milliseconds{static_cast<int>(milliseconds)},
                    [this] { static_cast<void>(pass_on()); });
      }};
  }

private:
  int pass_on() {
    const int item = from_.get();
    to_.put(item);
    return item;
  }

  troupe::queue<int> from_;
  troupe::queue<int> to_;
};

/// Passes a number on to its partner until it is 0; then it puts something.
class player : public caf::event_based_actor {
public:
  player(caf::actor_config& config, troupe::queue<int> to)
    : caf::event_based_actor(config), to_(std::move(to)) {
  }

  caf::behavior make_behavior() override {
    return {[this](const caf::actor& partner) { partner_ = partner; },
            [this](int number) {
              if (number == 0)
                to_.put(1);
              else
                version::send_anonymously(partner_, number - 1);
            },
            [this](double) {
              // Lest each keeps the other.
              partner_ = nullptr;
              quit();
            }};
  }

private:
  caf::actor partner_;
  troupe::queue<int> to_;
};

namespace {

using clock_type = std::chrono::steady_clock;

/// Numbers that are the same for the same seed.
class chance {
public:
  explicit chance(unsigned seed) : engine_(seed) {
  }

  int between(int least, int most) {
    return std::uniform_int_distribution<int>{least, most}(engine_);
  }

  void rest(int least_ms, int most_ms) {
    std::this_thread::sleep_for(
      std::chrono::milliseconds{between(least_ms, most_ms)});
  }

private:
  std::minstd_rand engine_;
};

using processes = std::vector<troupe::process>;

// Tokens go round, past locks that are taken in order -------------------------

void station(unsigned seed, troupe::queue<int> from, troupe::queue<int> to,
             std::vector<troupe::mutex> locks, troupe::semaphore units,
             int tokens) {
  chance of{seed};
  for (int i = 0; i < tokens; ++i) {
    const int token = from.get();
    units.acquire();
    {
      std::vector<std::unique_lock<troupe::mutex>> held;
      for (auto& each : locks)
        if (of.between(0, 1) == 1)
          held.emplace_back(each);
      if (of.between(0, 20) == 0)
        of.rest(1, 40);
    }
    units.release();
    to.put(token);
  }
}

void ring(chance& of) {
  const auto stations = static_cast<std::size_t>(of.between(2, 5));
  const int tokens = of.between(1, 3);
  const int laps = of.between(5, 40);
  std::vector<troupe::mutex> locks(static_cast<std::size_t>(of.between(1, 3)));
  const troupe::semaphore units{of.between(1, 2)};
  std::vector<troupe::queue<int>> ways;
  for (std::size_t i = 0; i < stations; ++i)
    ways.emplace_back(static_cast<std::size_t>(tokens));
  processes all;
  for (std::size_t i = 0; i < stations; ++i)
    all.push_back(troupe::start<station>(
      static_cast<unsigned>(of.between(1, 1 << 20)), ways[i],
      ways[(i + 1) % stations], locks, units, tokens * laps));
  for (int i = 0; i < tokens; ++i)
    ways[0].put(i);
}

// A barrier, a condition, an event --------------------------------------------

void meet_often(unsigned seed, troupe::barrier at, int rounds) {
  chance of{seed};
  for (int i = 0; i < rounds; ++i) {
    of.rest(0, 60);
    at.arrive_and_wait();
  }
}

void barrier_rounds(chance& of) {
  const int parties = of.between(2, 5);
  const int rounds = of.between(1, 6);
  const troupe::barrier all{static_cast<std::uint32_t>(parties)};
  processes meeting;
  for (int i = 0; i < parties; ++i)
    meeting.push_back(troupe::start<meet_often>(
      static_cast<unsigned>(of.between(1, 1 << 20)), all, rounds));
}

void await_number(troupe::mutex lock, troupe::condition changed,
                  troupe::value<int> number, int wanted) {
  std::unique_lock guard{lock};
  changed.wait(guard, [&] { return number >= wanted; });
}

void notices(chance& of) {
  const troupe::mutex lock;
  const troupe::condition changed;
  troupe::value<int> number{0};
  processes waiting;
  for (int i = 0; i < 3; ++i)
    waiting.push_back(troupe::start<await_number>(lock, changed, number, 3));
  for (int i = 0; i < 3; ++i) {
    of.rest(20, 250);
    const std::scoped_lock guard{lock};
    number = number + 1;
    changed.notify_all();
  }
}

// Slow holders, deadlines, stopped processes ----------------------------------

void hold(troupe::mutex lock, troupe::event held, int milliseconds) {
  const std::scoped_lock guard{lock};
  held.set();
  std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
}

void want(troupe::mutex lock, bool patient) {
  if (patient) {
    const std::scoped_lock guard{lock};
  } else if (lock.try_lock_for(50ms)) {
    lock.unlock();
  }
}

void slow_holder(chance& of) {
  const troupe::mutex lock;
  const troupe::event held;
  processes all;
  all.push_back(troupe::start<hold>(lock, held, of.between(100, 500)));
  held.wait();
  for (int i = 0; i < 3; ++i)
    all.push_back(troupe::start<want>(lock, of.between(0, 1) == 1));
}

void stop_with(troupe::mutex lock, troupe::event held) {
  const std::scoped_lock guard{lock};
  held.set();
  std::raise(SIGSTOP);
}

void stopped_holder(chance& of) {
  const troupe::mutex lock;
  const troupe::event held;
  const auto stopped = troupe::start<stop_with>(lock, held);
  held.wait();
  const auto next = troupe::start<want>(lock, true);
  of.rest(100, 400);
  // Perhaps it is not stopped yet: again, until it has ended.
  while (!stopped.join_for(20ms))
    ::kill(stopped.pid(), SIGCONT);
}

// Handles on their way, timers ------------------------------------------------

void take_one(troupe::queue<int> from) {
  static_cast<void>(from.get());
}

void answer_later(troupe::queue<troupe::queue<int>> mail, int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
  mail.get().put(1);
}

void handle_on_its_way(chance& of) {
  const troupe::queue<troupe::queue<int>> mail;
  const auto writer = troupe::start<answer_later>(mail, of.between(100, 400));
  troupe::queue<int> items;
  mail.put(items);
  const auto reader = troupe::start<take_one>(std::move(items));
}

void timer(chance& of) {
  const troupe::queue<int> items;
  const auto reader = troupe::start<take_one>(items);
  const int pause = of.between(100, 400);
  std::thread later{[&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{pause});
    items.put(1);
  }};
  reader.join();
  later.join();
}

// Pools, states, pipes --------------------------------------------------------

int work(troupe::mutex lock, int milliseconds) {
  const std::scoped_lock guard{lock};
  std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
  return milliseconds;
}

void pool_with_lock(chance& of) {
  const troupe::mutex lock;
  troupe::pool pool{static_cast<std::uint32_t>(of.between(1, 3))};
  std::vector<troupe::task_future<int>> results;
  for (int i = 0; i < 10; ++i)
    results.push_back(pool.apply_async<work>(lock, of.between(0, 60)));
  for (auto& each : results)
    static_cast<void>(each.get());
}

void count(troupe::held::dict<std::string, int> into, int times) {
  for (int i = 0; i < times; ++i)
    into["all"] = i;
}

void clients_of_state(chance& of) {
  troupe::state desk{"desk"};
  const auto counts = desk.make<troupe::held::dict<std::string, int>>();
  processes clients;
  for (int i = 0; i < 3; ++i)
    clients.push_back(troupe::start<count>(
      troupe::held::dict<std::string, int>{counts}, of.between(10, 200)));
}

void answer(troupe::connection<int> to, int times) {
  for (int i = 0; i < times; ++i)
    to.send(to.receive() + 1);
}

void talk(chance& of) {
  const auto [mine, other] = troupe::pipe<int>();
  const int times = of.between(1, 100);
  const auto partner = troupe::start<answer>(other, times);
  for (int i = 0; i < times; ++i) {
    mine.send(i);
    static_cast<void>(mine.receive());
    if (of.between(0, 20) == 0)
      of.rest(1, 60);
  }
}

// Threads that wait for each other --------------------------------------------

/// One thread waits for a lock of the standard library, whose owner waits for
/// an item; two wake each other by a condition.
void threads(chance& of) {
  const troupe::queue<int> items;
  const int pause = of.between(50, 300);
  const int turns = of.between(10, 400);
  std::mutex lock;
  std::condition_variable changed;
  int turn = 0;
  const auto play = [&](int mine) {
    std::unique_lock held{lock};
    while (turn < turns) {
      changed.wait(held, [&] { return turn >= turns || turn % 2 == mine; });
      if (++turn == turns) {
        std::this_thread::sleep_for(std::chrono::milliseconds{pause});
        items.put(1);
      }
      changed.notify_all();
    }
  };
  std::thread one{play, 0};
  std::thread other{play, 1};
  static_cast<void>(items.get());
  one.join();
  other.join();
}

// Actors ----------------------------------------------------------------------

void feed(troupe::queue<int> into, int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
  into.put(1);
}

/// Its handler waits for an item that comes late; whoever has asked waits for
/// the answer, or for what it puts.
void slow_clerk(chance& of) {
  const troupe::queue<int> from;
  const troupe::queue<int> to;
  troupe::host desk{"desk"};
  const auto one = desk.spawn<clerk>(from, to);
  const auto late = troupe::start<feed>(from, of.between(50, 400));
  const int pause = of.between(0, 200);
  switch (of.between(0, 2)) {
    case 0: {
      caf::scoped_actor self{troupe::actor_system()};
      version::request(self, one, pause)
        .receive([](int) {}, [](const caf::error&) {});
      break;
    }
    case 1: version::send_anonymously(one, pause); break;
    default: version::send_anonymously(one, static_cast<double>(pause));
  }
  static_cast<void>(to.get());
}

/// A chain of actors, each of which waits in its handler for the one before.
void chain_of_clerks(chance& of) {
  const auto length = static_cast<std::size_t>(of.between(2, 4));
  std::vector<troupe::queue<int>> ways(length + 1);
  std::vector<troupe::host> desks;
  std::vector<caf::actor> clerks;
  for (std::size_t i = 0; i < length; ++i) {
    desks.emplace_back("desk");
    clerks.push_back(desks.back().spawn<clerk>(ways[i], ways[i + 1]));
    version::send_anonymously(clerks.back(), of.between(0, 20));
  }
  of.rest(50, 300);
  ways.front().put(1);
  static_cast<void>(ways.back().get());
}

void game(chance& of) {
  const troupe::queue<int> over;
  troupe::host left{"left"};
  troupe::host right{"right"};
  const auto one = left.spawn<player>(over);
  const auto other = right.spawn<player>(over);
  version::send_anonymously(one, other);
  version::send_anonymously(other, one);
  version::send_anonymously(one, of.between(10, 3000));
  static_cast<void>(over.get());
  version::send_anonymously(one, 0.0);
  version::send_anonymously(other, 0.0);
}

/// One of the programs, with the processes that it starts.
void any_program(unsigned seed) {
  constexpr std::array programs{ring,
                                barrier_rounds,
                                notices,
                                slow_holder,
                                stopped_holder,
                                handle_on_its_way,
                                timer,
                                pool_with_lock,
                                clients_of_state,
                                talk,
                                threads,
                                slow_clerk,
                                chain_of_clerks,
                                game};
  chance of{seed};
  programs[static_cast<std::size_t>(
    of.between(0, static_cast<int>(programs.size()) - 1))](of);
}

} // namespace

int main(int argc, char** argv) {
  troupe::run_options options;
  // The root says so, and the test that runs this fails.
  options.report_stall = 300ms;
  troupe::program program{argc, argv, options};
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 10;
  const auto seed = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2]))
                             : std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  chance of{seed};
  const auto end = clock_type::now() + std::chrono::seconds{seconds};
  long programs = 0;
  while (clock_type::now() < end) {
    processes beside;
    for (int i = of.between(1, 3); i > 0; --i) {
      beside.push_back(troupe::start<any_program>(
        static_cast<unsigned>(of.between(1, 1 << 30))));
      ++programs;
    }
    for (const auto& each : beside)
      if (!each.join().success()) {
        std::cerr << "a program failed: " << each.status()->description()
                  << std::endl;
        return 1;
      }
  }
  std::cout << programs << " programs" << std::endl;
}
