// SPDX-License-Identifier: BSL-1.0

// Kills, stops and ends the processes of a tree of supervisors at random. The
// oracle is an account: each process that was killed stands in at most one
// report, as restarted or as one too many; only who was about to be ended with
// others anyway stands in none. It cannot see a report with a wrong reason.

#include <troupe/pool/supervisor.hpp>

#include <troupe/channel/queue.hpp>
#include <troupe/process/process.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/transport/caf_version.hpp>

#include <actors/pool/children.hpp>
#include <support/eventually.hpp>
#include <support/seed.hpp>
#include <support/sleeping.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using troupe::child;
using troupe::strategy;
using troupe::supervisor;
using troupe::test::eventually;
using troupe::test::is_gone;
using troupe::test::seed;
using troupe::test::sleep_at_random;

namespace {

caf::behavior worker(caf::event_based_actor* self) {
  return {[self](caf::close_atom) { self->quit(); }};
}

struct account {
  void write(const troupe::restart_report& what) {
    const std::scoped_lock guard{mutex};
    if (what.pid != 0)
      ++deaths[what.pid];
    ++reports;
    if (what.given_up)
      ++given_up;
  }

  std::function<void(const troupe::restart_report&)> writer() {
    return [this](const auto& what) { write(what); };
  }

  int of(std::int32_t pid) {
    const std::scoped_lock guard{mutex};
    const auto found = deaths.find(pid);
    return found == deaths.end() ? 0 : found->second;
  }

  std::mutex mutex;
  std::map<std::int32_t, int> deaths;
  int reports = 0;
  int given_up = 0;
};

/// The children of a supervisor that may be in another process, dead or alive.
std::vector<troupe::child_info> children_of(const caf::actor& whom) {
  std::vector<troupe::child_info> result;
  if (!whom)
    return result;
  caf::scoped_actor self{troupe::actor_system()};
  troupe::transport::version::request(self, whom, troupe::which_children_atom_v)
    .receive([&](std::vector<troupe::child_info>& all) { result = all; },
             [](const caf::error&) {});
  return result;
}

/// A branch that writes its reports into a queue: pid, negative if given up.
troupe::supervisor_plan branch(troupe::queue<std::int32_t> reports,
                               std::uint32_t intensity) {
  troupe::supervisor_plan plan;
  plan.options.intensity = intensity;
  plan.options.period = 60s;
  plan.options.report = [reports](const troupe::restart_report& what) mutable {
    reports.put(what.given_up ? -what.pid : what.pid);
  };
  for (const char* id : {"x", "y"})
    plan.children.push_back(
      child<worker>(id).shut_down(troupe::shutdown::within(200ms)));
  return plan;
}

std::vector<troupe::child_spec> three(std::chrono::milliseconds limit) {
  std::vector<troupe::child_spec> result;
  for (const char* id : {"a", "b", "c"})
    result.push_back(
      child<worker>(id).shut_down(troupe::shutdown::within(limit)));
  return result;
}

/// The whole tree; empty while some of it does not run. Enters who is `seen`.
std::vector<troupe::child_info> whole_tree(supervisor& top,
                                           std::set<std::int32_t>& seen) {
  auto all = top.which_children();
  for (const auto& each : top.which_children())
    if (each.supervises) {
      auto leaves = children_of(each.actor);
      if (leaves.size() != 2)
        return {};
      std::move(leaves.begin(), leaves.end(), std::back_inserter(all));
    }
  for (const auto& each : all) {
    if (!each.actor || each.pid == 0)
      return {};
    seen.insert(each.pid);
  }
  return all;
}

} // namespace

TEST_CASE("each child that is killed is reported once and restarted, whatever "
          "is stopped meanwhile") {
  std::minstd_rand random{seed()};
  for (const auto how :
       {strategy::one_for_one, strategy::rest_for_one, strategy::one_for_all}) {
    CAPTURE(static_cast<int>(how));
    account book;
    supervisor of{
      {.strategy = how, .intensity = 100'000, .report = book.writer()},
      three(30ms)};
    std::set<std::int32_t> killed;
    for (int round = 0; round < 60; ++round) {
      const auto all = of.which_children();
      REQUIRE(all.size() == 3);
      // One or two at a time, so that deaths meet restarts.
      const auto count = 1 + random() % 2;
      for (std::size_t i = 0; i < count; ++i) {
        const auto victim = all[random() % all.size()].pid;
        if (random() % 6 == 0)
          ::kill(all[random() % all.size()].pid, SIGSTOP);
        ::kill(victim, SIGKILL);
        killed.insert(victim);
        if (random() % 2 == 0)
          sleep_at_random(random, 3ms);
      }
      REQUIRE(eventually([&] {
        const auto now = of.which_children();
        return std::all_of(now.begin(), now.end(), [&](const auto& each) {
          return each.actor && !killed.contains(each.pid);
        });
      }));
    }
    of.close();
    int unreported = 0;
    for (const auto pid : killed) {
      CHECK(is_gone(pid));
      CHECK(book.of(pid) <= 1);
      unreported += book.of(pid) == 0 ? 1 : 0;
    }
    // Of a death during another's restart nothing is said: it was to be ended.
    if (how == strategy::one_for_one)
      CHECK(unreported == 0);
    CHECK(book.given_up == 0);
    MESSAGE(killed.size() << " killed, " << book.reports << " reports");
  }
}

TEST_CASE("in a tree over processes every death is restarted or escalated") {
  std::minstd_rand random{seed()};
  account top_book;
  troupe::queue<std::int32_t> below;
  std::set<std::int32_t> killed;
  std::set<std::int32_t> seen;
  std::map<std::int32_t, int> reported;
  int escalated = 0;
  {
    supervisor top{{.intensity = 100'000, .report = top_book.writer()},
                   {troupe::supervised<branch>("first", below, 3U),
                    troupe::supervised<branch>("second", below, 3U),
                    child<worker>("leaf")}};
    const auto end = std::chrono::steady_clock::now() + 15s;
    for (int kills = 0;
         kills < 150 && std::chrono::steady_clock::now() < end;) {
      const auto targets = whole_tree(top, seen);
      if (targets.empty())
        continue;
      const auto& victim = targets[random() % targets.size()];
      if (killed.contains(victim.pid)
          || (victim.supervises && random() % 4 != 0))
        continue;
      if (::kill(victim.pid, SIGKILL) == 0) {
        killed.insert(victim.pid);
        ++kills;
      }
      if (random() % 3 == 0)
        sleep_at_random(random, 4ms);
    }
    // In the end all of the tree runs.
    REQUIRE(eventually([&] {
      const auto all = whole_tree(top, seen);
      return !all.empty()
             && std::none_of(all.begin(), all.end(), [&](const auto& each) {
                  return killed.contains(each.pid);
                });
    }));
  }
  while (const auto pid = below.try_get()) {
    ++reported[std::abs(*pid)];
    if (*pid < 0)
      ++escalated;
  }
  int with_their_branch = 0;
  for (const auto pid : killed) {
    const int told = top_book.of(pid) + reported[pid];
    CHECK(told <= 1);
    with_their_branch += told == 0 ? 1 : 0;
  }
  // A leaf goes unreported only if its branch ended for another reason, and a
  // branch has two of them.
  CHECK(with_their_branch <= 2 * static_cast<int>(top_book.deaths.size()));
  CHECK(escalated <= static_cast<int>(top_book.deaths.size()));
  CHECK(top_book.given_up == 0);
  for (const auto pid : seen)
    CHECK(eventually([&] { return is_gone(pid); }));
  MESSAGE(killed.size() << " killed, " << top_book.reports << " reports above, "
                        << escalated << " escalated, " << with_their_branch
                        << " ended with their branch");
}

TEST_CASE("children that die, stop or are killed while the supervisor closes "
          "do not hold it") {
  std::minstd_rand random{seed()};
  for (int round = 0; round < 25; ++round) {
    supervisor of{{.strategy = strategy::one_for_all,
                   .intensity = 100,
                   .report = [](const auto&) {}},
                  three(50ms)};
    std::vector<std::int32_t> pids;
    for (const auto& each : of.which_children())
      pids.push_back(each.pid);
    const auto seed = random();
    std::jthread killer{[&pids, seed] {
      std::minstd_rand own{static_cast<std::uint32_t>(seed)};
      for (int i = 0; i < 6; ++i) {
        ::kill(pids[own() % pids.size()], own() % 3 == 0 ? SIGSTOP : SIGKILL);
        sleep_at_random(own, 1500us);
      }
    }};
    sleep_at_random(random, 3ms);
    of.close();
    killer.join();
    for (const auto pid : pids)
      CHECK(eventually([&] { return is_gone(pid); }));
  }
  CHECK(eventually([] { return troupe::active_children().empty(); }));
}
