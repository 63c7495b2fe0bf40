// SPDX-License-Identifier: BSL-1.0
//
// A program of its own for the tests of machines. With --troupe.listen it is
// the lead and does what its first argument says; with --troupe.join it is a
// machine, and its arguments say nothing.
//
//   late                 three processes, of which the first begins last, and is killed
//                        before
//   square N             on the first machine; prints "square N*N"
//   spawned N            the same, in a process that is executed anew
//   squares COUNT MACHINES
//                        that many processes at once, on so many machines in turn
//   fail                 a function that throws
//   die                  a function that kills its process
//   leave CODE           a function that exits
//   print LINES          a function that prints so many lines on each stream
//   echo BYTES           so many bytes there and back
//   wait                 waits for the first of several things, of which some are
//                        futures of machines
//   image BYTES          a buffer of so many bytes there and back, as a copy
//   nap SECONDS          prints "began", and what becomes of it
//   terminate            ends a process that would run for ever
//   none                 nothing; prints "waiting", and waits for ever
//   list COUNT           waits for so many machines; prints what it knows of each
//   lend                 an argument in which the type does not tell memory
//   watch                prints each thing that happens
//   rounds FIRST MORE    so many machines, one after the other, each of which ends in
//                        another way; prints what is left of the second ones
//   calls FIRST MORE     so many calls on one machine; the same
//   idle SECONDS         prints what the lead's processor does meanwhile, of ms
//   cook N               where it has the library, a function of that: "result 3N"
//   latency COUNT        prints how long one start takes, in µs, the median

#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/machines/machines.hpp>
#include <troupe/process/program.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/buffer.hpp>

#include <support/eventually.hpp>
#include <support/footprint.hpp>
#include <support/stop_forked.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;

#ifdef TROUPE_TEST_LIBRARY
/// Of the library: runs a function of it there.
int cook_on(const troupe::machine& where, int dishes);
#endif

namespace {

constexpr auto patience = 30s;

#ifdef TROUPE_TEST_OTHER_BUILD
constexpr int difference = 1;
#else
constexpr int difference = 0;
#endif

long square(long number) {
  return number * number + difference;
}

void fail() {
  try {
    throw std::runtime_error("no gas");
  } catch (...) {
    std::cerr << "the flame is out" << std::endl;
    std::throw_with_nested(std::logic_error("the oven is cold"));
  }
}

int die() {
  std::cerr << "about to die" << std::endl;
  std::raise(SIGKILL);
  return 0;
}

int leave(int code) {
  std::exit(code);
}

int print(int lines) {
  for (int i = 1; i <= lines; ++i) {
    std::cout << "line " << i << '\n';
    std::cerr << "error " << i << '\n';
  }
  // Nobody ends this one.
  std::cout << "the end";
  return lines;
}

std::vector<char> echo(std::vector<char> what) {
  return what;
}

int nap(double seconds) {
  std::cout << "began" << std::endl;
  // Time: how long a call lasts.
  std::this_thread::sleep_for(std::chrono::duration<double>{seconds});
  return 7;
}

/// As a program's own class may be: its type does not tell what is in it.
class lent {
public:
  explicit lent(troupe::array<int> of) : of_(std::move(of)) {
  }
  void save(troupe::codec::encoder& to) const {
    of_.save(to);
  }
  static lent load(troupe::codec::decoder& from) {
    return lent{troupe::array<int>::load(from)};
  }

private:
  troupe::array<int> of_;
};

int look(const lent&) {
  return 1;
}

void wait_for_ever() {
  for (;;)
    ::pause();
}

std::chrono::milliseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
    std::chrono::steady_clock::now() - start);
}

/// Calls `what`, and prints the result or the error, and after how long.
template <class What>
void tell(What what) {
  const auto start = std::chrono::steady_clock::now();
  try {
    const auto value = what();
    std::cout << "result " << value;
  } catch (const troupe::remote_error& failure) {
    std::cout << to_string(failure.code()) << " [" << failure.what() << ']'
              << " type=" << failure.type() << " text=" << failure.text()
              << " causes=" << failure.causes().size();
  } catch (const troupe::error& failure) {
    std::cout << to_string(failure.code()) << " [" << failure.what() << ']';
  }
  std::cout << " after " << since(start).count() << " ms" << std::endl;
}

troupe::machine first_machine() {
  return troupe::machines::wait_for(1, patience).front();
}

long processor_time() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000
         + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

const char* name_of(troupe::machines::event::what kind) {
  using what = troupe::machines::event::what;
  switch (kind) {
    case what::joined: return "joined";
    case what::leaving: return "leaving";
    case what::left: return "left";
    case what::lost: return "lost";
  }
  return "";
}

void watch() {
  troupe::machines::events happenings;
  std::cout << "watching" << std::endl;
  while (const auto happened = happenings.next(patience)) {
    std::cout << "event " << happened->machine.name() << ' '
              << name_of(happened->kind)
              << " there=" << happened->machine.is_there() << ' '
              << happened->reason << std::endl;
    using what = troupe::machines::event::what;
    if (happened->kind == what::left || happened->kind == what::lost)
      return;
  }
}

void list(std::size_t count) {
  for (const auto& each : troupe::machines::wait_for(count, patience)) {
    std::cout << "machine " << each.number() << ' ' << each.name() << " labels";
    for (const auto& label : each.labels())
      std::cout << ' ' << label;
    std::cout << " processors=" << (each.processors() > 0)
              << " memory=" << (each.memory() > 0)
              << " there=" << each.is_there()
              << " same=" << (troupe::machines::find(each.name()) == each)
              << std::endl;
  }
  std::cout << "none is called nobody: "
            << !troupe::machines::find("nobody").has_value() << std::endl;
  tell([] { return troupe::machines::wait_for("nobody", 10ms).name(); });
}

void squares(int count, std::size_t machines) {
  const auto all = troupe::machines::wait_for(machines, patience);
  std::vector<troupe::machine_future<long>> results;
  for (int i = 0; i < count; ++i)
    results.push_back(
      all[static_cast<std::size_t>(i) % all.size()].start<square>(i));
  long sum = 0;
  for (auto& each : results)
    sum += each.get();
  std::cout << "sum " << sum << std::endl;
}

troupe::copied_buffer turn(const troupe::copied_buffer& image) {
  std::ranges::reverse(image.bytes());
  return image;
}

bool turn_there(std::size_t size) {
  const troupe::buffer image{size};
  for (std::size_t i = 0; i < size; ++i)
    image.data()[i] = static_cast<std::byte>(i % 251);
  const auto turned = first_machine().start<turn>(image.copied()).get();
  return std::ranges::equal(turned.bytes(), image.bytes() | std::views::reverse)
         && (size == 0 || turned.bytes().data() != image.data());
}

long nap_and_give(double seconds, long what) {
  // Time: the caller says how long.
  std::this_thread::sleep_for(std::chrono::duration<double>{seconds});
  return what;
}

void wait_for_first() {
  const auto kitchen = first_machine();
  std::vector<troupe::machine_future<long>> results;
  results.push_back(kitchen.start<nap_and_give>(1000.0, 1));
  results.push_back(kitchen.start<nap_and_give>(0.2, 2));
  const troupe::queue<int> orders;
  const auto first = troupe::wait_any(results, patience);
  std::cout << "first " << (first ? static_cast<long>(*first) : -1) << ' '
            << results.at(1).get() << std::endl;
  std::cout << "none in time " << !troupe::wait_any(results, 50ms).has_value()
            << std::endl;
  orders.put(3);
  std::cout << "beside others "
            << troupe::wait_any(results.at(0), orders, patience) << std::endl;
  std::cout << "taken " << !troupe::all_ready(results.at(1)).size()
            << std::endl;
  results.at(0).kill();
  std::cout << "killed " << troupe::wait_any(results.at(0), patience)
            << std::endl;
  tell([&] { return results.at(0).get(); });
  // Until the machine is killed by whoever has launched this.
  const auto last = kitchen.start<nap_and_give>(1000.0, 3);
  std::cout << "about to be lost" << std::endl;
  std::cout << "lost " << troupe::wait_any(last, patience) << std::endl;
}

using troupe::test::footprint;

/// A machine that ends: it leaves, or its root is killed and a call with it.
void use_and_end(std::size_t round, troupe::machines::events& happenings) {
  const auto kitchen = first_machine();
  for (long i = 0; i < 5; ++i)
    static_cast<void>(kitchen.start<square>(i).get());
  const int signal = round % 2 == 0 ? SIGTERM : SIGKILL;
  auto last = kitchen.start(
    [](int number) { ::kill(troupe::parent_process()->pid(), number); },
    signal);
  try {
    last.get();
  } catch (const troupe::machine_lost&) {
  }
  while (const auto happened = happenings.next(patience)) {
    using what = troupe::machines::event::what;
    if (happened->kind == what::left || happened->kind == what::lost)
      return;
  }
}

/// What this process has when nothing more is given back: the last connection
/// is by another thread.
footprint settled() {
  auto last = footprint::own();
  int same = 0;
  static_cast<void>(troupe::test::eventually([&] {
    // Time: in which something would be given back.
    std::this_thread::sleep_for(10ms);
    const auto now = footprint::own();
    same = now.memory == last.memory && now.descriptors == last.descriptors
             ? same + 1
             : 0;
    last = now;
    return same == 10;
  }));
  return last;
}

void rounds(std::size_t first, std::size_t more) {
  troupe::machines::events happenings;
  for (std::size_t i = 0; i < first; ++i)
    use_and_end(i, happenings);
  const auto before = settled();
  for (std::size_t i = 0; i < more; ++i)
    use_and_end(i, happenings);
  std::cout << "left at the lead: " << settled().since(before) << std::endl;
}

void calls(long first, long more) {
  const auto kitchen = first_machine();
  const auto root
    = kitchen.start([] { return troupe::parent_process()->pid(); }).get();
  const auto call = [&](long count) {
    std::vector<troupe::machine_future<long>> results;
    for (long i = 0; i < count; ++i) {
      results.push_back(kitchen.start<square>(i));
      if (results.size() == 10)
        results.clear();
    }
  };
  call(first);
  const auto before = settled();
  const auto before_there = footprint::of(root);
  call(more);
  const auto after = settled();
  footprint after_there;
  static_cast<void>(troupe::test::eventually([&] {
    after_there = footprint::of(root);
    return after_there.descriptors <= before_there.descriptors;
  }));
  std::cout << "left at the lead: " << after.since(before) << std::endl;
  std::cout << "left at the machine: " << after_there.since(before_there)
            << std::endl;
}

void measure_latency(int count) {
  const auto kitchen = first_machine();
  std::vector<long> times;
  for (int i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    static_cast<void>(kitchen.start<square>(i).get());
    times.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
                      std::chrono::steady_clock::now() - start)
                      .count());
  }
  std::sort(times.begin(), times.end());
  std::cout << "latency " << times[times.size() / 2] << " us" << std::endl;
}

void measure_idle(std::chrono::seconds time) {
  const auto before = processor_time();
  // Time: for which it does nothing, which is what is measured.
  std::this_thread::sleep_for(time);
  std::cout << "idle " << processor_time() - before << " us" << std::endl;
}

bool echo_there(std::size_t size) {
  std::vector<char> sent(size);
  for (std::size_t i = 0; i < size; ++i)
    sent[i] = static_cast<char>(i % 251);
  return first_machine().start<echo>(sent).get() == sent;
}

/// Of three processes the first begins last, and is killed before.
void begin_late() {
  const auto kitchen = first_machine();
  auto late = kitchen.start<nap_and_give>(1000.0, 2);
  tell([&] { return kitchen.start<square>(3).get(); });
  late.kill();
  tell([&] { return kitchen.start<square>(4).get(); });
  std::cout << "all but the first" << std::endl;
  tell([&] { return late.get(); });
}

long square_anew(long number) {
  const troupe::start_options how{.method = troupe::start_method::spawn};
  return first_machine().start<square>(how, number).get();
}

int lead(const std::vector<std::string>& words) {
  const auto& what = words[0];
  const auto argument = [&] { return words.at(1); };
  if (what == "square") {
    const auto kitchen = first_machine();
    tell([&] { return kitchen.start<square>(std::stol(argument())).get(); });
    tell([&] {
      return kitchen.start([](int a, int b) { return a + b; }, 3, 4).get();
    });
  } else if (what == "late") {
    begin_late();
  } else if (what == "spawned") {
    tell([&] { return square_anew(std::stol(argument())); });
  } else if (what == "squares") {
    squares(std::stoi(argument()), std::stoul(words.at(2)));
  } else if (what == "fail") {
    tell([] { return first_machine().start<fail>().get(), 0; });
  } else if (what == "die") {
    tell([] { return first_machine().start<die>().get(); });
  } else if (what == "leave") {
    tell([&] {
      return first_machine().start<leave>(std::stoi(argument())).get();
    });
  } else if (what == "print") {
    tell([&] {
      return first_machine()
        .start<print>(troupe::start_options{.name = "printer"},
                      std::stoi(argument()))
        .get();
    });
  } else if (what == "echo") {
    tell([&] { return echo_there(std::stoul(argument())); });
  } else if (what == "nap") {
    const auto kitchen = first_machine();
    auto napping = kitchen.start<nap>(std::stod(argument()));
    tell([&] { return napping.get(); });
    tell([&] { return kitchen.start<square>(2).get(); });
    std::cout << "there=" << kitchen.is_there() << std::endl;
  } else if (what == "terminate") {
    const auto kitchen = first_machine();
    auto one = kitchen.start<nap>(1000.0);
    one.kill();
    tell([&] { return one.get(); });
  } else if (what == "list") {
    list(std::stoul(argument()));
  } else if (what == "lend") {
    troupe::array<int> shared(3);
    tell([&] { return first_machine().start<look>(lent{shared}).get(); });
  } else if (what == "rounds") {
    rounds(std::stoul(argument()), std::stoul(words.at(2)));
  } else if (what == "calls") {
    calls(std::stol(argument()), std::stol(words.at(2)));
  } else if (what == "image") {
    tell([&] { return turn_there(std::stoul(argument())); });
  } else if (what == "wait") {
    wait_for_first();
  } else if (what == "watch") {
    watch();
#ifdef TROUPE_TEST_LIBRARY
  } else if (what == "cook") {
    tell([&] { return cook_on(first_machine(), std::stoi(argument())); });
#endif
  } else if (what == "latency") {
    measure_latency(std::stoi(argument()));
  } else if (what == "idle") {
    static_cast<void>(first_machine());
    measure_idle(std::chrono::seconds{std::stoi(argument())});
  } else if (what == "none") {
    std::cout << "waiting" << std::endl;
    wait_for_ever();
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  static_cast<void>(troupe::test::stops_forked);
  try {
    troupe::program program{argc, argv};
    std::vector<std::string> words{program.arguments().begin(),
                                   program.arguments().end()};
    return words.empty() ? 0 : lead(words);
  } catch (const troupe::error& failure) {
    std::cout << to_string(failure.code()) << ": " << failure.what()
              << std::endl;
    return 2;
  }
}
