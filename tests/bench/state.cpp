// SPDX-License-Identifier: BSL-1.0

// A state's dict: one client and four, one element a call and a hundred; a
// member function of a user's class; a million entries. Beside Python's
// manager.

#include "suite.hpp"
#include "together.hpp"

#include <troupe/process/program.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/state.hpp>

#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#ifdef TROUPE_BENCH_ROBIN_MAP
#  include <tsl/robin_map.h>
#endif

#ifdef TROUPE_BENCH_ROBIN_MAP
template <class K, class V>
struct troupe::codec::coding<tsl::robin_map<K, V>>
  : troupe::codec::associative_coding<tsl::robin_map<K, V>, std::hash<K>,
                                      std::equal_to<K>> {};
#endif

namespace {

using bench::clock_type;
using bench::median_of;
using bench::seconds_since;
using dict = troupe::held::dict<std::string, int>;
#ifdef TROUPE_BENCH_ROBIN_MAP
using open_dict
  = troupe::held::dict<std::string, int, tsl::robin_map<std::string, int>>;
#endif
using entries = std::vector<std::pair<std::string, int>>;

constexpr int bulk = 100;

class account {
public:
  int deposit(int amount) {
    return balance_ += amount;
  }

private:
  int balance_ = 0;
};

std::vector<std::string> make_keys(int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i)
    keys.push_back("key" + std::to_string(i));
  return keys;
}

/// How often `work` runs in a second.
template <class Work>
double rate(long times, Work work) {
  const auto start = clock_type::now();
  for (long i = 0; i < times; ++i)
    work(i);
  return static_cast<double>(times) / seconds_since(start);
}

const std::string& key_of(const std::vector<std::string>& keys, long i) {
  return keys[static_cast<std::size_t>(i) % keys.size()];
}

template <class Dict>
double
gets(const Dict& from, const std::vector<std::string>& keys, long times) {
  int sum = 0;
  return rate(times, [&](long i) { sum += from.at(key_of(keys, i)); });
}

double sets(const dict& into, const std::vector<std::string>& keys,
            long times) {
  return rate(times, [&](long i) { into.set(key_of(keys, i), 1); });
}

/// Half gets and half sets, until told to stop.
void use(dict of, bench::stretch in, std::size_t me) {
  const auto keys = make_keys(1000);
  of.set(keys[0], 1);
  bench::take_part(in, me, [&](long done) {
    of.set(key_of(keys, 2 * done), 1);
    static_cast<void>(of.get(key_of(keys, 2 * done)));
  });
}

/// Operations a second of all clients together.
double together(const dict& of, std::size_t clients, double seconds) {
  return 2
         * bench::together(clients, seconds,
                           [&](const bench::stretch& in, std::size_t me) {
                             return troupe::start<use>(of, in, me);
                           })
             .rate;
}

/// Memory of a process that it shares with nobody, in megabytes.
double private_memory(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/smaps_rollup"};
  double sum = 0;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Private_"))
      sum += std::stod(line.substr(line.find(':') + 1));
  return sum / 1024;
}

template <class Dict>
void fill(const Dict& into, int count) {
  entries part;
  for (int i = 0; i < count; ++i) {
    part.emplace_back("key" + std::to_string(i), i);
    if (part.size() == 10000 || i + 1 == count) {
      into.set_many(part);
      part.clear();
    }
  }
}

struct python_rates {
  double gets, sets, bulk_gets, bulk_sets, four, method, many_gets, many_memory;
};

bool ask_python(long times, double seconds, int many, python_rates& of) {
  const std::string command = "python3 '" TROUPE_BENCH_PEERS "/manager.py' "
                              + std::to_string(times) + " "
                              + std::to_string(seconds) + " "
                              + std::to_string(many) + " 2>/dev/null";
  std::FILE* const answer = ::popen(command.c_str(), "r");
  if (answer == nullptr)
    return false;
  const bool good = std::fscanf(answer, "%lf %lf %lf %lf %lf %lf %lf %lf",
                                &of.gets, &of.sets, &of.bulk_gets,
                                &of.bulk_sets, &of.four, &of.method,
                                &of.many_gets, &of.many_memory)
                    == 8;
  ::pclose(answer);
  return good;
}

/// Two rates, and what the first is of the second.
struct compared {
  double first = 0;
  double second = 0;
  double ratio = 0;
};

/// Measures two rates turn by turn, since virtual machines come in phases.
template <class First, class Second>
compared in_turn(int turns, First first, Second second) {
  std::vector<double> firsts;
  std::vector<double> seconds;
  std::vector<double> ratios;
  for (int turn = 0; turn < turns; ++turn) {
    firsts.push_back(first());
    seconds.push_back(second());
    ratios.push_back(firsts.back() / seconds.back());
  }
  return {bench::median(std::move(firsts)), bench::median(std::move(seconds)),
          bench::median(std::move(ratios))};
}

/// The suite, and what the measurements share.
struct bench_of_states {
  bench::suite& suite;
  long times = suite.scaled(200'000L, 500L);
  double seconds = suite.scaled(1.0, 0.02);
  int turns = suite.scaled(5, 1);
  int many = suite.scaled(1'000'000, 2000);
  troupe::state state{};
  dict small = state.make<dict>();
  std::vector<std::string> keys = make_keys(1000);
  std::vector<std::string> few_keys = strides(1000);
  std::vector<std::string> many_keys = strides(many);

  /// The same strides through as many keys of the client's for small and large
  /// ones, so that what is compared is the dict.
  [[nodiscard]] std::vector<std::string> strides(int of) const {
    std::vector<std::string> result;
    for (long i = 0; i < times; ++i)
      result.push_back("key" + std::to_string(i * 7919 % of));
    return result;
  }

  /// Returns what the time of a member function is of that of a get.
  [[nodiscard]] double single_calls() {
    const auto purse = state.make<account>();
    // In turn, as by `in_turn`, which is for two.
    std::vector<double> get_rates;
    std::vector<double> set_rates;
    std::vector<double> method_rates;
    std::vector<double> get_of_method;
    for (int turn = 0; turn < turns; ++turn) {
      get_rates.push_back(gets(small, keys, times));
      set_rates.push_back(sets(small, keys, times));
      method_rates.push_back(
        rate(times, [&](long) { purse.call<&account::deposit>(1); }));
      get_of_method.push_back(get_rates.back() / method_rates.back());
    }
    const auto get = bench::median(std::move(get_rates));
    const auto set = bench::median(std::move(set_rates));
    const auto method = bench::median(std::move(method_rates));
    suite.report("get.troupe", get / 1e3, "k/s");
    suite.report("set.troupe", set / 1e3, "k/s");
    suite.report("method.troupe", method / 1e3, "k/s");
    return bench::median(std::move(get_of_method));
  }

  /// Returns how many elements a second are set.
  [[nodiscard]] double calls_in_bulk() {
    const std::vector<std::string> some(keys.begin(), keys.begin() + bulk);
    entries some_entries;
    for (const auto& each : some)
      some_entries.emplace_back(each, 1);
    const auto bulk_get = median_of(turns, [&] {
      return bulk * rate(times / 10, [&](long) {
               static_cast<void>(small.get_many(some));
             });
    });
    const auto bulk_set = median_of(turns, [&] {
      return bulk
             * rate(times / 10, [&](long) { small.set_many(some_entries); });
    });
    suite.report("bulk_get.troupe", bulk_get / 1e3, "k/s");
    suite.report("bulk_set.troupe", bulk_set / 1e3, "k/s");
    return bulk_set;
  }

  /// Returns what the rate of four is of that of one.
  [[nodiscard]] double clients() {
    const auto result = in_turn(
      turns, [&] { return together(small, 4, seconds); },
      [&] { return together(small, 1, seconds); });
    suite.report("one_client", result.second / 1e3, "k/s");
    suite.report("four_clients.troupe", result.first / 1e3, "k/s");
    return result.ratio;
  }

  /// Returns what the time of a get of many is of that of few.
  [[nodiscard]] double sizes() {
    const auto large = state.make<dict>();
    const auto before = private_memory(state.process().pid());
    fill(large, many);
    const auto memory = private_memory(state.process().pid()) - before;
    const auto result = in_turn(
      turns, [&] { return gets(small, few_keys, times); },
      [&] { return gets(large, many_keys, times); });
    suite.report("get_of_many.troupe", result.second / 1e3, "k/s");
    suite.report("get_of_few", result.first / 1e3, "k/s");
    suite.report("memory_of_many.troupe", memory, "MB");
    return result.ratio;
  }

#ifdef TROUPE_BENCH_ROBIN_MAP
  /// The same with open addressing.
  [[nodiscard]] double open_sizes() {
    const auto open_small = state.make<open_dict>();
    const auto open_large = state.make<open_dict>();
    fill(open_small, 1000);
    const auto before = private_memory(state.process().pid());
    fill(open_large, many);
    suite.report("memory_of_many.open_addressing",
                 private_memory(state.process().pid()) - before, "MB");
    const auto result = in_turn(
      turns, [&] { return gets(open_small, few_keys, times); },
      [&] { return gets(open_large, many_keys, times); });
    suite.report("get_of_many.open_addressing", result.second / 1e3, "k/s");
    return result.ratio;
  }
#endif

  /// Returns how many elements a second Python's manager sets in bulk; 0 where
  /// there is none.
  [[nodiscard]] double ask_peer() {
    python_rates python{};
    if (!ask_python(suite.scaled(20'000L, 100L), seconds, many, python)) {
      suite.absent("python", "python3 is absent, or has no multiprocessing");
      return 0;
    }
    suite.report("get.python", python.gets / 1e3, "k/s");
    suite.report("set.python", python.sets / 1e3, "k/s");
    suite.report("method.python", python.method / 1e3, "k/s");
    suite.report("bulk_get.python", python.bulk_gets / 1e3, "k/s");
    suite.report("bulk_set.python", python.bulk_sets / 1e3, "k/s");
    suite.report("four_clients.python", python.four / 1e3, "k/s");
    suite.report("get_of_many.python", python.many_gets / 1e3, "k/s");
    suite.report("memory_of_many.python", python.many_memory, "MB");
    return python.bulk_sets;
  }
};

} // namespace

int main(int argc, char** argv) {
  // As a program would that has little else to do: see
  // docs/performance/tuning.md.
  troupe::program program{argc, argv, {.move_threads = true}};
  bench::suite suite{"state", argc, argv};
  bench_of_states of{suite};
  fill(of.small, 1000);
  const auto method_time = of.single_calls();
  const auto bulk_set = of.calls_in_bulk();
  const auto clients = of.clients();
  const auto sizes = of.sizes();
#ifdef TROUPE_BENCH_ROBIN_MAP
  const auto open_sizes = of.open_sizes();
#else
  suite.absent("open_addressing", "robin-map's headers are absent");
#endif
  const auto bulk_set_of_python = of.ask_peer();
  suite.report("method_time_of_get", method_time, "ratio");
  suite.report("four_clients_of_one", clients, "ratio");
  suite.report("get_of_many_time_of_few", sizes, "ratio");
#ifdef TROUPE_BENCH_ROBIN_MAP
  suite.report("get_of_many_time_of_few.open_addressing", open_sizes, "ratio");
#endif
  if (bulk_set_of_python > 0)
    suite.report("bulk_set_of_pythons_update", bulk_set / bulk_set_of_python,
                 "ratio");
  suite.at_least(10, "get.troupe", "get.python");
  suite.at_least(10, "set.troupe", "set.python");
  suite.at_least(100, "bulk_get.troupe", "get.python");
  suite.at_least(100, "bulk_set.troupe", "set.python");
  suite.at_least(10, "four_clients.troupe", "four_clients.python");
  suite.at_least(1, "four_clients_of_one");
  suite.at_most(1.2, "method_time_of_get");
  suite.at_most(2, "get_of_many_time_of_few");
#ifdef TROUPE_BENCH_ROBIN_MAP
  suite.at_most(2, "get_of_many_time_of_few.open_addressing");
#endif
}
