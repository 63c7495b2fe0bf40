// SPDX-License-Identifier: BSL-1.0

// CAF actors: in one process, in two processes through Troupe, and in two
// processes through CAF's own middleman over loopback (as it comes, and tuned).
//
//     bench_actors [--smoke] [--only TEXT]
//
// Prints "actors METRIC VALUE UNIT"; METRIC is what.payload.how.

#include "bare.hpp"
#include "peer.hpp"
#include "suite.hpp"

#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/all.hpp>
#ifdef TROUPE_BENCH_MIDDLEMAN
#  include <caf/io/all.hpp>
#endif

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

struct block64 {
  std::uint64_t a, b, c, d, e, f, g, h;
};

template <class Inspector>
bool inspect(Inspector& f, block64& x) {
  return f.object(x).fields(f.field("a", x.a), f.field("b", x.b),
                            f.field("c", x.c), f.field("d", x.d),
                            f.field("e", x.e), f.field("f", x.f),
                            f.field("g", x.g), f.field("h", x.h));
}

CAF_BEGIN_TYPE_ID_BLOCK(bench, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(bench, (block64))
  CAF_ADD_ATOM(bench, ball_atom)
  CAF_ADD_ATOM(bench, go_atom)
  CAF_ADD_ATOM(bench, load_atom)
  CAF_ADD_ATOM(bench, credit_atom)
CAF_END_TYPE_ID_BLOCK(bench)

namespace {

using namespace std::chrono_literals;
using bench::clock_type;
using bench::seconds_since;

/// Answers a ball with the ball; counts loads and gives credit for them.
caf::behavior wall(caf::event_based_actor* self) {
  auto received = std::make_shared<std::uint64_t>(0);
  auto batch = std::make_shared<std::uint64_t>(1);
  const auto load = [self, received, batch] {
    if (++*received % *batch == 0)
      self->send(caf::actor_cast<caf::actor>(self->current_sender()),
                 credit_atom_v, *batch);
  };
  return {
    [](ball_atom, std::int32_t x) { return caf::make_message(ball_atom_v, x); },
    [](ball_atom, const block64& x) {
      return caf::make_message(ball_atom_v, x);
    },
    [](ball_atom, std::string& x) {
      return caf::make_message(ball_atom_v, std::move(x));
    },
    [batch](credit_atom, std::uint64_t each) { *batch = each; },
    [load](load_atom, std::int32_t) { load(); },
    [load](load_atom, const block64&) { load(); },
    [load](load_atom, const std::string&) { load(); },
  };
}

/// Plays `rounds` balls against a wall, `warm` of them unmeasured.
template <class T>
double round_trip_us(caf::actor_system& system, const caf::actor& partner,
                     const T& payload, std::uint64_t rounds) {
  std::promise<double> done;
  const auto warm = rounds / 5 + 1;
  auto player
    = system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
        auto count = std::make_shared<std::uint64_t>(0);
        auto start = std::make_shared<clock_type::time_point>();
        return {
          [=](go_atom) { self->send(partner, ball_atom_v, payload); },
          [=, &done](ball_atom, T& x) {
            if (++*count == warm)
              *start = clock_type::now();
            if (*count == warm + rounds) {
              done.set_value(seconds_since(*start) / static_cast<double>(rounds)
                             * 1e6);
              self->quit();
              return;
            }
            self->send(partner, ball_atom_v, std::move(x));
          },
        };
      });
  // Through the partner, so that the player runs where answers arrive.
  caf::anon_send(player, go_atom_v);
  return done.get_future().get();
}

/// Sends `count` loads with a window of credit; returns messages per second.
template <class T>
double one_way(caf::actor_system& system, const caf::actor& partner,
               const T& payload, std::uint64_t count, std::uint64_t each) {
  std::promise<double> done;
  auto source = system.spawn(
    [&](caf::event_based_actor* self) -> caf::behavior {
      auto left = std::make_shared<std::uint64_t>(count);
      auto open = std::make_shared<std::uint64_t>(0);
      auto start = std::make_shared<clock_type::time_point>(clock_type::now());
      const auto push = [=](std::uint64_t credit) {
        for (; credit > 0 && *left > 0; --credit, --*left, ++*open)
          self->send(partner, load_atom_v, payload);
      };
      return {
        [=](go_atom) {
          *start = clock_type::now();
          self->send(partner, credit_atom_v, each);
          push(each * 4);
        },
        [=, &done](credit_atom, std::uint64_t credit) {
          *open -= credit;
          push(credit);
          if (*left == 0 && *open == 0) {
            done.set_value(static_cast<double>(count) / seconds_since(*start));
            self->quit();
          }
        },
      };
    });
  caf::anon_send(source, go_atom_v);
  return done.get_future().get();
}

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

void tune(caf::actor_system_config& config) {
  config.set("caf.scheduler.max-threads", 1);
  config.set("caf.work-stealing.aggressive-poll-attempts", 1);
  config.set("caf.work-stealing.moderate-poll-attempts", 0);
}

#ifdef TROUPE_BENCH_MIDDLEMAN

struct middleman_config : caf::actor_system_config {
  explicit middleman_config(bool tuned) {
    load<caf::io::middleman>();
    if (tuned) {
      tune(*this);
      set("caf.middleman.workers", 0);
    }
  }
};

/// The far side of the middleman: a process with a system of its own. The port
/// goes through a pipe; every connection gets a new wall.
void serve_middleman(bool tuned, int port) {
  middleman_config config{tuned};
  caf::actor_system system{config};
  for (int each = port; each < port + 32; ++each) {
    auto partner = system.spawn(wall);
    if (!system.middleman().publish(partner, static_cast<std::uint16_t>(each),
                                    "127.0.0.1", true))
      std::fprintf(stderr, "cannot publish at port %d\n", each);
  }
  std::this_thread::sleep_for(10min);
}

void measure_middleman(bench::suite& suite, bool tuned, int port) {
  const auto far = troupe::start<serve_middleman>(
    troupe::start_options{"middleman", true}, tuned, port);
  middleman_config config{tuned};
  caf::actor_system system{config};
  int next = port;
  measure(suite, system, tuned ? "middleman_tuned" : "middleman",
          [&]() -> caf::actor {
            for (int attempt = 0; attempt < 500; ++attempt) {
              if (auto found = system.middleman().remote_actor(
                    "127.0.0.1", static_cast<std::uint16_t>(next))) {
                ++next;
                return *found;
              }
              std::this_thread::sleep_for(10ms);
            }
            std::fprintf(stderr, "no middleman at port %d\n", next);
            std::exit(1);
          });
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
