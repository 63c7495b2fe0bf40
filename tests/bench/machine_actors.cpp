// SPDX-License-Identifier: BSL-1.0
#include "machine_actors.hpp"

#include "balls.hpp"
#include "network_peers.hpp"

#include <troupe/process/start.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/transport/type_table.hpp>

#include <functional>
#include <map>
#include <utility>

#include <unistd.h>

namespace bench {

namespace {

constexpr block64 block{1, 2, 3, 4, 5, 6, 7, 8};
constexpr std::size_t large = std::size_t{1} << 20;

/// Two systems of actors and what makes the far one's actors.
struct way {
  std::string name;
  caf::actor_system& system;
  std::function<caf::actor()> partner;
};

/// What is measured in turns: the values of each metric.
using turns = std::map<std::string, std::vector<double>>;

void measure_way(const suite& suite, const way& by, turns& into) {
  const auto with = [&](const std::string& what, const auto& measure) {
    const auto metric = what + '.' + by.name;
    if (!suite.wants(metric))
      return;
    const auto to = by.partner();
    into[metric].push_back(measure(to));
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  };
  with("rtt_int", [&](const caf::actor& to) {
    return round_trip_us(by.system, to, std::int32_t{7},
                         suite.scaled<std::uint64_t>(2'000, 20));
  });
  with("one_way_64B", [&](const caf::actor& to) {
    const bool slow = by.name != "troupe";
    return one_way(by.system, to, block,
                   suite.scaled<std::uint64_t>(slow ? 10'240 : 102'400, 1'024),
                   256);
  });
  with("one_way_1MiB", [&](const caf::actor& to) {
    return one_way(by.system, to, std::string(large, 'x'),
                   suite.scaled<std::uint64_t>(160, 16), 4);
  });
}

void measure_bare(const suite& suite, turns& into) {
  if (suite.wants("rtt_int.bare_tcp"))
    into["rtt_int.bare_tcp"].push_back(
      peers::tcp_ping_pong(suite.scaled(5'000, 20), sizeof(std::int32_t)));
  if (suite.wants("one_way_1MiB.bare_tls"))
    into["one_way_1MiB.bare_tls"].push_back(
      peers::tls_one_way(suite.scaled(300, 8), large));
}

void judge(suite& suite) {
  suite.at_most(2, "rtt_int.troupe", "rtt_int.bare_tcp");
  suite.at_most(0.8, "rtt_int.troupe", "rtt_int.middleman_tuned");
  suite.at_least(5, "one_way_64B.troupe", "one_way_64B.middleman_tuned");
  suite.at_least(0.8, "one_way_1MiB.troupe", "one_way_1MiB.bare_tls");
}

} // namespace

void use_balls() {
  troupe::use_messages<caf::id_block::bench>();
#ifdef TROUPE_BENCH_MIDDLEMAN
  caf::io::middleman::init_global_meta_objects();
#endif
}

void measure_actors(suite& suite, const troupe::machine& machine) {
  std::vector<way> ways{
    {"troupe", troupe::actor_system(), [&] { return machine.spawn<wall>(); }}};
#ifdef TROUPE_BENCH_MIDDLEMAN
  int next = 20000 + static_cast<int>(::getpid() % 20000);
  const auto far = troupe::start<serve_middleman>(
    troupe::start_options{"middleman", true}, true, next);
  middleman_config config{true};
  caf::actor_system system{config};
  ways.push_back({"middleman_tuned", system,
                  [&] { return find_middleman(system, next++); }});
#else
  suite.absent("middleman", "this CAF has no io module");
#endif
  turns all;
  for (int turn = 0; turn < suite.scaled(5, 1); ++turn) {
    measure_bare(suite, all);
    for (const auto& each : ways)
      measure_way(suite, each, all);
  }
#ifdef TROUPE_BENCH_MIDDLEMAN
  far.kill();
#endif
  for (const auto& [metric, values] : all)
    suite.report(metric, median(values),
                 metric.starts_with("rtt") ? "us" : "msg/s");
  judge(suite);
}

} // namespace bench
