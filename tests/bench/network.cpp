// SPDX-License-Identifier: BSL-1.0

// A state's dict over loopback, with TLS from a key: one call at a time, many
// on the way, a hundred elements a call, a megabyte a call. Beside Redis over
// TLS, a bare round trip through TLS, and Python's manager over plain TCP.

#include "network_peers.hpp"
#include "suite.hpp"

#include <troupe/network/connect.hpp>
#include <troupe/network/publish.hpp>
#include <troupe/process/program.hpp>
#include <troupe/state/dict.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace {

using bench::clock_type;
using bench::median_of;
using bench::seconds_since;
using dict = troupe::held::dict<std::string, int>;
using functions = troupe::held::dict_functions<std::string, int>;
using store = troupe::held::dict<std::string, troupe::bytes>;

constexpr int bulk = 100;

template <class Work>
double rate(long times, Work work) {
  const auto start = clock_type::now();
  for (long i = 0; i < times; ++i)
    work(static_cast<std::size_t>(i));
  return static_cast<double>(times) / seconds_since(start);
}

/// Gets with so many on the way.
double flow(const dict& of, const std::vector<std::string>& keys, long times,
            std::size_t depth) {
  std::deque<troupe::held::future<int>> waiting;
  const auto start = clock_type::now();
  for (long i = 0; i < times; ++i) {
    if (waiting.size() == depth) {
      static_cast<void>(waiting.front().get());
      waiting.pop_front();
    }
    waiting.push_back(of.call_async<&functions::at>(
      keys[static_cast<std::size_t>(i) % keys.size()]));
  }
  for (auto& each : waiting)
    static_cast<void>(each.get());
  return static_cast<double>(times) / seconds_since(start);
}

struct peer_rates {
  double gets, sets, bulk_sets, flow, megabytes;
};

/// Reports what the program of a peer measures; says so where it is absent.
void report_peer(bench::suite& suite, const std::string& peer,
                 const std::string& program, long times,
                 const std::string& needs) {
  const auto command = "python3 '" TROUPE_BENCH_PEERS "/" + program + "' "
                       + std::to_string(times) + " 2>/dev/null";
  std::FILE* const answer = ::popen(command.c_str(), "r");
  peer_rates of{};
  const bool good = answer != nullptr
                    && std::fscanf(answer, "%lf %lf %lf %lf %lf", &of.gets,
                                   &of.sets, &of.bulk_sets, &of.flow,
                                   &of.megabytes)
                         == 5;
  if (answer != nullptr)
    ::pclose(answer);
  if (!good) {
    suite.absent(peer, needs);
    return;
  }
  suite.report("get." + peer, of.gets / 1e3, "k/s");
  suite.report("set." + peer, of.sets / 1e3, "k/s");
  suite.report("get_at_once." + peer, of.flow / 1e3, "k/s");
  suite.report("bulk_set." + peer, of.bulk_sets / 1e3, "k/s");
  suite.report("put_1MiB." + peer, of.megabytes, "MB/s");
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  bench::suite suite{"network", argc, argv};
  const long times = suite.scaled(20'000L, 200L);
  const int turns = suite.scaled(5, 1);

  const troupe::state near;
  const auto shared = troupe::network::key::random();
  const auto far = troupe::connect(
    troupe::network::publish(near, troupe::network::address{}, shared), shared);
  const auto held = far.make<dict>();
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) {
    keys.push_back("key" + std::to_string(i));
    held.set(keys.back(), 1);
  }

  const auto get = median_of(turns, [&] {
    return rate(times, [&](std::size_t i) {
      static_cast<void>(held.at(keys[i % keys.size()]));
    });
  });
  suite.report("get.troupe", get / 1e3, "k/s");
  const auto set = median_of(turns, [&] {
    return rate(times,
                [&](std::size_t i) { held.set(keys[i % keys.size()], 1); });
  });
  suite.report("set.troupe", set / 1e3, "k/s");
  const auto many = median_of(turns,
                              [&] { return flow(held, keys, times * 5, 64); });
  suite.report("get_at_once.troupe", many / 1e3, "k/s");
  std::vector<std::pair<std::string, int>> some;
  for (int i = 0; i < bulk; ++i)
    some.emplace_back(keys[static_cast<std::size_t>(i)], 1);
  const auto bulk_set = median_of(turns, [&] {
    return bulk * rate(times / 10, [&](std::size_t) { held.set_many(some); });
  });
  suite.report("bulk_set.troupe", bulk_set / 1e3, "k/s");
  const auto large = far.make<store>();
  const troupe::bytes data(1 << 20);
  const auto megabytes = median_of(turns, [&] {
    return rate(times / 100, [&](std::size_t) { large.set("data", data); });
  });
  suite.report("put_1MiB.troupe", megabytes, "MB/s");

  suite.report("get.bare_tls",
               median_of(turns,
                         [&] {
                           return bench::peers::tls_ping_pong(times, 64) / 1e3;
                         }),
               "k/s");
  report_peer(suite, "redis", "redis.py", suite.scaled(20'000L, 100L),
              "redis-server, redis-benchmark with TLS or openssl is absent");
  report_peer(suite, "python", "network.py", suite.scaled(20'000L, 100L),
              "python3 is absent, or has no multiprocessing");
  // A call may take 1.5 times as long as a bare round trip.
  suite.at_least(1 / 1.5, "get.troupe", "get.bare_tls");
  suite.at_least(1.3, "get.troupe", "get.redis");
  suite.at_least(1.3, "set.troupe", "set.redis");
  suite.at_least(0.8, "get_at_once.troupe", "get_at_once.redis");
  suite.at_least(1.5, "bulk_set.troupe", "bulk_set.redis");
  suite.at_least(1, "put_1MiB.troupe", "put_1MiB.redis");
  suite.at_least(3, "get.troupe", "get.python");
  suite.at_least(3, "set.troupe", "set.python");
  // Ours: 64 calls on the way. Python has none without an answer: 4 threads.
  suite.compare("get_at_once.troupe", "get_at_once.python");
  suite.compare("bulk_set.troupe", "bulk_set.python");
  suite.compare("put_1MiB.troupe", "put_1MiB.python");
}
