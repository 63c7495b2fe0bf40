// SPDX-License-Identifier: BSL-1.0
//
// A program of its own for the tests of machines. With --troupe.listen it is the
// lead and does what its first argument says; with --troupe.join it is a machine,
// and its arguments say nothing.
//
//   square N             on the first machine; prints "square N*N"
//   squares COUNT        that many processes at once, on all machines in turn
//   fail                 a function that throws
//   die                  a function that kills its process
//   leave CODE           a function that exits
//   print LINES          a function that prints so many lines on each stream
//   echo BYTES           so many bytes there and back
//   nap SECONDS          prints "began", and what becomes of it
//   terminate            ends a process that would run for ever
//   none                 nothing; prints "waiting", and waits for ever
//   list COUNT           waits for so many machines; prints what it knows of each
//   lend                 an argument in which the type does not tell memory
//   watch                prints each thing that happens
//   idle SECONDS         prints what the lead's processor does meanwhile, of ms
//   latency COUNT        prints how long one start takes, in µs, the median

#include <troupe/base/error.hpp>
#include <troupe/machines/machines.hpp>
#include <troupe/process/program.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/shared/array.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;

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

void squares(int count) {
  const auto all = troupe::machines::wait_for(1, patience);
  std::vector<troupe::machine_future<long>> results;
  for (int i = 0; i < count; ++i)
    results.push_back(
      all[static_cast<std::size_t>(i) % all.size()].start<square>(i));
  long sum = 0;
  for (auto& each : results)
    sum += each.get();
  std::cout << "sum " << sum << std::endl;
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

int lead(const std::vector<std::string>& words) {
  const auto& what = words[0];
  const auto argument = [&] { return words.at(1); };
  if (what == "square") {
    const auto kitchen = first_machine();
    tell([&] { return kitchen.start<square>(std::stol(argument())).get(); });
    tell([&] {
      return kitchen.start([](int a, int b) { return a + b; }, 3, 4).get();
    });
  } else if (what == "squares") {
    squares(std::stoi(argument()));
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
    const auto size = std::stoul(argument());
    std::vector<char> sent(size);
    for (std::size_t i = 0; i < size; ++i)
      sent[i] = static_cast<char>(i % 251);
    tell([&] { return first_machine().start<echo>(sent).get() == sent; });
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
  } else if (what == "watch") {
    watch();
  } else if (what == "latency") {
    measure_latency(std::stoi(argument()));
  } else if (what == "idle") {
    static_cast<void>(first_machine());
    const auto before = processor_time();
    // Time: for which it does nothing, which is what is measured.
    std::this_thread::sleep_for(std::chrono::seconds{std::stoi(argument())});
    std::cout << "idle " << processor_time() - before << " us" << std::endl;
  } else if (what == "none") {
    std::cout << "waiting" << std::endl;
    wait_for_ever();
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
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
