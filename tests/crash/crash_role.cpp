// SPDX-License-Identifier: BSL-1.0

// Programs that the crash tests run from outside: `crash_role ROLE [ARGUMENT]`
// is the root of a run of its own, which may be killed.

#include <support/eventually.hpp>
#include <support/living_bytes.hpp>
#include <support/sleeping.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/buffer.hpp>
#include <troupe/shared/value.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using troupe::memory::run_memory;
using troupe::test::await;
using troupe::test::eventually;
using troupe::test::sleep_for_ever;

int slots_in_use() {
  auto& memory = run_memory::current();
  int result = 0;
  for (std::uint32_t index = 1; index < memory.header().slots_high; ++index)
    result += memory.slot(index).current_state()
              != troupe::memory::slot_state::free;
  return result;
}

/// Starts processes that count themselves while servers die: each must run
/// exactly once.
int counts() {
  troupe::os::arm_crash_point("");
  using troupe::memory::reference;
  auto shared = reference::create(troupe::memory::object_kind::user, 4096);
  auto* ran = shared.as<std::atomic<int>>();
  int right = 0;
  for (int i = 0; i < 12; ++i) {
    auto result = troupe::async(
      [](int n, std::uint64_t where) {
        troupe::os::arm_crash_point("");
        const auto held = reference::attach(where,
                                            troupe::memory::object_kind::user);
        held.as<std::atomic<int>>()[n].fetch_add(1);
        return n;
      },
      i, shared.id());
    right += result.get() == i;
  }
  std::cout << "right: " << right << std::endl;
  int once = 0;
  for (int i = 0; i < 12; ++i)
    once += ran[i].load() == 1;
  if (once == 12)
    std::cout << "ran once each" << std::endl;
  return 0;
}

int dies_in_child() {
  troupe::os::arm_crash_point("");
  for (int i = 0; i < 3; ++i)
    std::cout << troupe::start([] {}).join().description() << std::endl;
  return 0;
}

int dies_with_arguments() {
  troupe::os::arm_crash_point("");
  const auto before = troupe::test::living_bytes();
  for (int i = 0; i < 3; ++i) {
    const troupe::value<int> shared;
    const troupe::buffer numbers{100'000};
    const auto status
      = troupe::start([](const troupe::value<int>&, const std::string&,
                         const troupe::buffer&) {},
                      shared, std::string(100'000, 'x'), numbers)
          .join();
    std::cout << status.description() << std::endl;
  }
  std::cout << "bytes left: " << troupe::test::living_bytes() - before
            << std::endl;
  return 0;
}

int dies_in_parent(const std::string& point) {
  {
    const auto middle = troupe::start(
      [](const std::string& where) {
        auto before = troupe::start([] {});
        before.join();
        troupe::os::arm_crash_point(where);
        before.close();
        auto inner = troupe::start([] {});
        inner.join();
        inner.close();
      },
      point);
    std::cout << "middle: " << middle.join().description() << std::endl;
  }
  // The orphaned grandchild ends by itself, and is given back at its death.
  static_cast<void>(eventually([] { return slots_in_use() == 0; }));
  std::cout << "slots in use: " << slots_in_use() << std::endl;
  return 0;
}

/// What the process table says, for whoever looks into a hang.
void show_table() {
  auto& memory = run_memory::current();
  const auto& header = memory.header();
  std::cout << "server " << header.fork_server.load() << ", reaping "
            << header.reaping.load() << '\n';
  for (std::uint32_t index = 0; index < header.slots_high; ++index) {
    const auto& slot = memory.slot(index);
    if (slot.current_state() != troupe::memory::slot_state::free)
      std::cout << "slot " << index << " state " << slot.state.load()
                << " generation " << slot.generation.load() << " claimant "
                << slot.claimant() << " pid " << slot.pid.load() << " parent "
                << slot.parent.load() << ' ' << slot.name.get() << '\n';
  }
}

std::atomic<bool> go{false};

int root_dies(const std::string& point) {
  std::signal(SIGUSR1, [](int) { go.store(true); });
  std::vector<troupe::process> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(troupe::start<sleep_for_ever>());
    static_cast<void>(children.back().pid());
  }
  std::cout << "ready" << std::endl;
  await([] { return go.load(); });
  troupe::os::arm_crash_point(point);
  if (point.find("root_supervisor") != std::string::npos) {
    ::kill(run_memory::current().header().fork_server.load(), SIGKILL);
    sleep_for_ever();
  }
  auto child = troupe::start([] {});
  child.join();
  child.close();
  return 0;
}

/// A tree of processes in which one is killed after the other, the fork server
/// among them. Every join must end, with a status that can be.
int many_kills(unsigned long seed, int kills) {
  std::mt19937 random{static_cast<std::mt19937::result_type>(seed)};
  std::atomic<int> turn{0};
  std::thread watchdog{[&turn, kills] {
    int seen = -1;
    while (turn.load() < kills && seen != turn.load()) {
      seen = turn.load();
      static_cast<void>(eventually([&] { return turn.load() != seen; }));
    }
    if (turn.load() < kills) {
      std::cout << "stuck at kill " << turn.load() << std::endl;
      show_table();
      std::cout << std::flush;
      if (std::getenv("TROUPE_TEST_STAY") != nullptr)
        sleep_for_ever();
      std::abort();
    }
  }};
  int servers = 0;
  int unborn = 0;
  for (; turn.load() < kills; ++turn) {
    const auto draw = random();
    const auto delay = std::chrono::microseconds{random() % 1500};
    auto victim = draw % 3 == 0 ? troupe::start([] {
      std::vector<troupe::process> inner;
      for (int i = 0; i < 3; ++i)
        inner.push_back(troupe::start([] {
          // Time: an input; it may end before its parent is killed or after.
          std::this_thread::sleep_for(500us);
        }));
    })
                                : troupe::start<sleep_for_ever>();
    auto ends = troupe::async([](int n) { return n; }, turn.load());
    // Time: the moment of the kill is the input of the test.
    std::this_thread::sleep_for(delay);
    if (draw % 8 == 1)
      if (const auto server = run_memory::current().header().fork_server.load();
          server > 0) {
        ::kill(server, SIGKILL);
        ++servers;
      }
    victim.kill();
    const auto status = victim.join();
    if (status.signal() != SIGKILL && !(draw % 3 == 0 && status.success())) {
      std::cout << "kill " << turn.load() << ": " << status.description()
                << std::endl;
      std::abort();
    }
    if (ends.get() != turn.load())
      std::abort();
  }
  watchdog.join();
  static_cast<void>(eventually([] { return slots_in_use() == 0; }));
  std::cout << kills << " kills and " << servers << " servers, unborn "
            << unborn << std::endl;
  if (slots_in_use() == 0)
    std::cout << "all told" << std::endl;
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  std::cout << "main goes on" << std::endl;
  const std::string role = argc > 1 ? argv[1] : "";
  const std::string first = argc > 2 ? argv[2] : "";
  const std::string second = argc > 3 ? argv[3] : "";
  const std::map<std::string, std::function<int()>> roles{
    {"counts", counts},
    {"dies_in_child", dies_in_child},
    {"dies_with_arguments", dies_with_arguments},
    {"dies_in_parent", [&] { return dies_in_parent(first); }},
    {"root_dies", [&] { return root_dies(first); }},
    {"many_kills",
     [&] {
       return many_kills(std::strtoul(first.c_str(), nullptr, 10),
                         std::atoi(second.c_str()));
     }},
  };
  const auto found = roles.find(role);
  return found != roles.end() ? found->second() : 99;
}
