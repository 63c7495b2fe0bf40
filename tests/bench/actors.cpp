// SPDX-License-Identifier: BSL-1.0

// CAF actors: in one process, in two processes through Troupe, and in two
// processes through CAF's own middleman over loopback (as it comes, and tuned).
//
//     bench_actors [--smoke] [--only TEXT]
//
// Prints "actors METRIC VALUE UNIT"; METRIC is what.payload.how.

#include "balls.hpp"
#include "bare.hpp"
#include "peer.hpp"
#include "suite.hpp"

#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/all.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using bench::clock_type;
using bench::seconds_since;
using namespace bench;

void measure(bench::suite& suite, caf::actor_system& system,
             const std::string& how,
             const std::function<caf::actor()>& partner) {
  const auto scale = suite.scaled<std::uint64_t>(4, 400);
  const auto wanted = [&](const std::string& what) {
    return suite.wants(what + '.' + how);
  };
  const auto slow = how.starts_with("middleman") ? 20U : 1U;
  const auto trip = [&](const std::string& what, const auto& payload,
                        std::uint64_t rounds) {
    if (!wanted("rtt_" + what))
      return;
    const auto to = partner();
    suite.report("rtt_" + what + '.' + how,
                 round_trip_us(system, to, payload, rounds / scale / slow),
                 "us");
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  };
  const auto stream = [&](const std::string& what, const auto& payload,
                          std::uint64_t count, std::uint64_t each) {
    if (!wanted("one_way_" + what))
      return;
    const auto to = partner();
    const auto rounded = std::max(count / scale / slow / each, std::uint64_t{4})
                         * each;
    suite.report("one_way_" + what + '.' + how,
                 one_way(system, to, payload, rounded, each), "msg/s");
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  };
  const block64 block{1, 2, 3, 4, 5, 6, 7, 8};
  trip("int", std::int32_t{7}, 400'000);
  trip("64B", block, 400'000);
  trip("1KiB", std::string(1024, 'x'), 200'000);
  trip("64KiB", std::string(64 << 10, 'x'), 20'000);
  trip("1MiB", std::string(1 << 20, 'x'), 1'000);
  stream("int", std::int32_t{7}, 4'000'000, 256);
  stream("64B", block, 4'000'000, 256);
  stream("1KiB", std::string(1024, 'x'), 1'000'000, 256);
  stream("64KiB", std::string(64 << 10, 'x'), 100'000, 16);
  stream("1MiB", std::string(1 << 20, 'x'), 6'000, 4);
}

#ifdef TROUPE_BENCH_MIDDLEMAN

void measure_middleman(bench::suite& suite, bool tuned, int port) {
  const auto far = troupe::start<serve_middleman>(
    troupe::start_options{"middleman", true}, tuned, port);
  middleman_config config{tuned};
  caf::actor_system system{config};
  int next = port;
  measure(suite, system, tuned ? "middleman_tuned" : "middleman",
          [&] { return find_middleman(system, next++); });
  far.kill();
}

#endif

/// Plays with its partner from the first `go` on; a later one asks how often
/// the ball has come back so far.
caf::behavior player(caf::event_based_actor* self, caf::actor partner) {
  auto count = std::make_shared<std::int64_t>(-1);
  return {
    [=](go_atom) {
      if (*count < 0) {
        *count = 0;
        self->send(partner, ball_atom_v, std::int32_t{1});
      }
      return *count;
    },
    [=](ball_atom, std::int32_t x) {
      ++*count;
      self->send(partner, ball_atom_v, x);
    },
  };
}

/// Round trips a second of eight pairs together, each actor in a process of its
/// own.
double eight_pairs(double seconds) {
  std::vector<caf::actor> players;
  std::vector<caf::actor> walls;
  for (int i = 0; i < 8; ++i) {
    walls.push_back(troupe::spawn<wall>());
    players.push_back(troupe::spawn<player>(walls.back()));
  }
  caf::scoped_actor self{troupe::actor_system()};
  const auto total = [&] {
    std::int64_t sum = 0;
    for (const auto& each : players)
      self->request(each, caf::infinite, go_atom_v)
        .receive([&](std::int64_t count) { sum += count; },
                 [](const caf::error&) {});
    return static_cast<double>(sum);
  };
  static_cast<void>(total());
  std::this_thread::sleep_for(300ms);
  const auto before = total();
  const auto start = clock_type::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const auto rate = (total() - before) / seconds_since(start);
  for (const auto& all : {players, walls})
    for (const auto& each : all)
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  return rate;
}

/// `bench_actors --peer`: one measurement for each line on standard input, in
/// a run of its own, which may be configured otherwise.
int serve_measurements() {
  char line[64];
  double argument = 0;
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    double answer = 1;
    if (std::sscanf(line, "pairs %lf", &argument) == 1)
      answer = eight_pairs(argument);
    else if (std::sscanf(line, "round_trip %lf", &argument) == 1)
      answer = round_trip_us(troupe::actor_system(), troupe::spawn<wall>(),
                             std::int32_t{7},
                             static_cast<std::uint64_t>(argument));
    std::printf("%f\n", answer);
    std::fflush(stdout);
  }
  return 0;
}

void measure_spinning(bench::suite& suite) {
  bench::peer spinning{{"/proc/self/exe", "--peer"}};
  bench::peer sleeping{{"/proc/self/exe", "--peer", "--no-spin"}};
  std::vector<double> values[4];
  const auto time = std::to_string(suite.scaled(0.8, 0.05));
  const auto rounds = std::to_string(suite.scaled(10'000, 10));
  for (int turn = 0; turn < suite.scaled(3, 1); ++turn) {
    values[0].push_back(spinning.ask("pairs " + time));
    values[1].push_back(sleeping.ask("pairs " + time));
    values[2].push_back(sleeping.ask("round_trip " + rounds));
    values[3].push_back(bench::futex_round_trip(suite.scaled(0.3, 0.01)));
  }
  suite.report("eight_pairs.troupe", bench::median(values[0]), "1/s");
  suite.report("eight_pairs.no_spin", bench::median(values[1]), "1/s");
  suite.report("rtt_asleep.troupe", bench::median(values[2]), "us");
  suite.report("rtt_asleep.futex", bench::median(values[3]), "us");
}

void judge(bench::suite& suite) {
  suite.at_least(80, "rtt_int.middleman_tuned", "rtt_int.troupe");
  suite.at_most(2, "rtt_int.troupe", "rtt_int.local");
  for (const std::string what : {"one_way_int", "one_way_64B"}) {
    suite.at_least(10, what + ".troupe", what + ".middleman_tuned");
    suite.at_least(0.55, what + ".troupe", what + ".local");
  }
  suite.at_least(10, "one_way_64KiB.troupe", "one_way_64KiB.middleman_tuned");
  suite.at_least(6, "one_way_1MiB.troupe", "one_way_1MiB.middleman_tuned");
  suite.at_most(1.3, "rtt_asleep.troupe", "rtt_asleep.futex");
  suite.at_least(1, "eight_pairs.troupe", "eight_pairs.no_spin");
}

} // namespace

int main(int argc, char** argv) {
  troupe::use_messages<caf::id_block::bench>();
#ifdef TROUPE_BENCH_MIDDLEMAN
  caf::io::middleman::init_global_meta_objects();
#endif
  const std::vector<std::string> arguments(argv, argv + argc);
  const auto has = [&](const char* word) {
    return std::find(arguments.begin(), arguments.end(), word)
           != arguments.end();
  };
  if (has("--no-spin"))
    troupe::configure_actors([](caf::actor_system_config& config) {
      config.set("troupe.longest-spin", caf::timespan{0});
    });
  troupe::program program{argc, argv};
  if (has("--peer"))
    return serve_measurements();
  bench::suite suite{"actors", argc, argv};
#ifdef TROUPE_BENCH_MIDDLEMAN
  // The middleman's systems first: they start no process from a busy one.
  const auto port = 20000 + static_cast<int>(::getpid() % 20000);
  measure_middleman(suite, true, port);
  if (!suite.smoke())
    measure_middleman(suite, false, port + 40);
#else
  suite.absent("middleman", "this CAF has no io module");
#endif
  {
    caf::actor_system_config config;
    tune(config);
    caf::actor_system system{config};
    measure(suite, system, "local", [&] { return system.spawn(wall); });
  }
  measure(suite, troupe::actor_system(), "troupe",
          [] { return troupe::spawn<wall>(); });
  if (suite.wants("eight_pairs"))
    measure_spinning(suite);
  judge(suite);
  return 0;
}
