// SPDX-License-Identifier: BSL-1.0

// CAF actors: in one process, in two processes through Troupe, and in two
// processes through CAF's own middleman over loopback (as it comes, and tuned).
//
//     bench_actors [--smoke] [--only TEXT]
//
// Prints "actors METRIC VALUE UNIT"; METRIC is what.payload.how.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
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
using clock_type = std::chrono::steady_clock;

bool smoke = false;
std::string only;

void report(const std::string& metric, double value, const char* unit) {
  std::printf("actors %s %.4g %s\n", metric.c_str(), value, unit);
  std::fflush(stdout);
}

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

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

void measure(caf::actor_system& system, const std::string& how,
             const std::function<caf::actor()>& partner, bool large) {
  const std::uint64_t scale = smoke ? 100 : 1;
  const auto wanted = [&](const std::string& what) {
    return only.empty() || (what + '.' + how).find(only) != std::string::npos;
  };
  const auto slow = how.starts_with("middleman") ? 20U : 1U;
  const auto trip = [&](const std::string& what, const auto& payload,
                        std::uint64_t rounds) {
    if (!wanted("rtt." + what))
      return;
    const auto to = partner();
    report("rtt." + what + '.' + how,
           round_trip_us(system, to, payload, rounds / scale / slow), "us");
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  };
  const auto stream = [&](const std::string& what, const auto& payload,
                          std::uint64_t count, std::uint64_t each) {
    if (!wanted("oneway." + what))
      return;
    const auto to = partner();
    const auto rounded = std::max(count / scale / slow / each, std::uint64_t{4})
                         * each;
    report("oneway." + what + '.' + how,
           one_way(system, to, payload, rounded, each), "msg/s");
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  };
  const block64 block{1, 2, 3, 4, 5, 6, 7, 8};
  trip("int", std::int32_t{7}, 400'000);
  trip("64B", block, 400'000);
  trip("1KiB", std::string(1024, 'x'), 200'000);
  if (large) {
    trip("64KiB", std::string(64 << 10, 'x'), 20'000);
    trip("1MiB", std::string(1 << 20, 'x'), 1'000);
  }
  stream("int", std::int32_t{7}, 4'000'000, 256);
  stream("64B", block, 4'000'000, 256);
  stream("1KiB", std::string(1024, 'x'), 1'000'000, 256);
  if (large) {
    stream("64KiB", std::string(64 << 10, 'x'), 100'000, 16);
    stream("1MiB", std::string(1 << 20, 'x'), 6'000, 4);
  }
}

void tune(caf::actor_system_config& config) {
  config.set("caf.scheduler.max-threads", 1);
  config.set("caf.work-stealing.aggressive-poll-attempts", 1);
  config.set("caf.work-stealing.moderate-poll-attempts", 0);
}

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

void measure_middleman(bool tuned, int port) {
  const auto far = troupe::start<serve_middleman>(
    troupe::start_options{"middleman", true}, tuned, port);
  middleman_config config{tuned};
  caf::actor_system system{config};
  int next = port;
  measure(
    system, tuned ? "middleman-tuned" : "middleman",
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
    },
    true);
  far.kill();
}

/// Memory that a process has to itself, shared pages divided among sharers.
double pss_mib(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/smaps_rollup"};
  std::string word;
  while (file >> word)
    if (word == "Pss:") {
      double kib = 0;
      file >> kib;
      return kib / 1024;
    }
  return 0;
}

caf::behavior echo() {
  return {[](std::int32_t x) { return x; }};
}

void measure_start() {
  std::vector<double> first_answers;
  std::vector<double> sizes;
  for (int i = 0; i < (smoke ? 2 : 30); ++i) {
    const auto start = clock_type::now();
    troupe::host host{"bench"};
    const auto actor = host.spawn<echo>();
    caf::scoped_actor self{troupe::actor_system()};
    self->request(actor, caf::infinite, 1)
      .receive([](std::int32_t) {}, [](caf::error&) {});
    first_answers.push_back(seconds_since(start) * 1e3);
    sizes.push_back(pss_mib(host.pid()));
  }
  std::sort(first_answers.begin(), first_answers.end());
  std::sort(sizes.begin(), sizes.end());
  report("start.first_answer", first_answers[first_answers.size() / 2], "ms");
  report("start.pss", sizes[sizes.size() / 2], "MiB");
}

double cpu_seconds(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  text.erase(0, text.rfind(')') + 2);
  long long user = 0;
  long long system = 0;
  std::sscanf(text.c_str(),
              "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &user,
              &system);
  return static_cast<double>(user + system)
         / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void measure_idle() {
  const int count = smoke ? 3 : 100;
  std::vector<troupe::host> hosts;
  std::vector<caf::actor> actors;
  for (int i = 0; i < count; ++i) {
    hosts.emplace_back("idle");
    actors.push_back(hosts.back().spawn<echo>());
  }
  std::this_thread::sleep_for(500ms);
  const auto total = [&] {
    double sum = 0;
    for (const auto& host : hosts)
      sum += cpu_seconds(host.pid());
    return sum;
  };
  const auto before = total();
  const auto start = clock_type::now();
  std::this_thread::sleep_for(smoke ? 200ms : 5s);
  report("idle.100_hosts", (total() - before) / seconds_since(start) * 100,
         "%");
}

} // namespace

int main(int argc, char** argv) {
  troupe::use_messages<caf::id_block::bench>();
  caf::io::middleman::init_global_meta_objects();
  troupe::program program{argc, argv};
  for (int i = 1; i < argc; ++i) {
    smoke = smoke || std::strcmp(argv[i], "--smoke") == 0;
    if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc)
      only = argv[++i];
  }
  const auto wants = [](const char* what) {
    return only.empty() || std::string{what}.find(only) != std::string::npos
           || only.find(what) != std::string::npos;
  };
  if (wants("troupe"))
    measure(
      troupe::actor_system(), "troupe", [] { return troupe::spawn<wall>(); },
      true);
  if (wants("local")) {
    caf::actor_system_config config;
    tune(config);
    caf::actor_system system{config};
    measure(system, "local", [&] { return system.spawn(wall); }, false);
  }
  const auto port = 20000 + static_cast<int>(::getpid() % 20000);
  if (wants("middleman-tuned"))
    measure_middleman(true, port);
  if (wants("middleman") && !smoke)
    measure_middleman(false, port + 40);
  if (wants("start"))
    measure_start();
  if (wants("idle"))
    measure_idle();
  return 0;
}
