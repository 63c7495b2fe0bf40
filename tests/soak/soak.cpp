// SPDX-License-Identifier: BSL-1.0

// soak SECONDS FILE: uses all parts of the library for so long, in rounds, and
// writes once a second what the run has into FILE (CSV). tools/soak runs it,
// and tests/soak/judge says whether anything grows.

#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>
#include <troupe/process/table.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/buffer.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/semaphore.hpp>

#include <caf/all.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using random_numbers = std::minstd_rand;

void require(bool condition, const char* what) {
  if (!condition)
    throw std::runtime_error{what};
}

// What the run has ------------------------------------------------------------

std::uint64_t entries_in(const std::string& folder) {
  std::error_code failure;
  std::uint64_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator{folder, failure}) {
    static_cast<void>(entry);
    ++count;
  }
  return count;
}

/// Private memory of a process, in bytes.
std::uint64_t private_bytes(const std::string& folder) {
  std::ifstream file{folder + "/statm"};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
  file >> size >> resident >> shared;
  return (resident - std::min(resident, shared)) * 4096;
}

void write_sample(std::ostream& to, double second, std::uint64_t rounds) {
  auto& memory = troupe::memory::run_memory::current();
  auto& header = memory.header();
  std::uint64_t processes = 1;
  std::uint64_t descriptors = 0;
  std::uint64_t threads = 0;
  std::uint64_t private_memory = 0;
  const auto look_at = [&](const std::string& pid) {
    const auto folder = "/proc/" + pid;
    descriptors += entries_in(folder + "/fd");
    threads += entries_in(folder + "/task");
    private_memory += private_bytes(folder);
  };
  look_at("self");
  look_at(std::to_string(header.fork_server.load()));
  troupe::hosting::for_each_slot(
    [&](std::uint32_t index, const troupe::memory::process_slot& slot) {
      if (index == 0
          || slot.current_state() != troupe::memory::slot_state::running)
        return;
      ++processes;
      look_at(std::to_string(slot.pid.load()));
    });
  using namespace troupe::memory;
  to << second << ',' << memory.used_bytes() << ',' << memory.reserved_bytes()
     << ',' << private_memory << ','
     << header.regions[small_region].high.load()
          * header.regions[small_region].granule
     << ','
     << header.regions[large_region].high.load()
          * header.regions[large_region].granule
     << ',' << header.pages_high.load() << ',' << descriptors << ',' << threads
     << ',' << processes << ',' << rounds << std::endl;
}

// What is done ----------------------------------------------------------------

void count_up(troupe::value<long> number, troupe::mutex lock, int times) {
  for (int i = 0; i < times; ++i) {
    const std::scoped_lock inside{lock};
    number.set(number + 1);
  }
}

void wait_for_ever(troupe::event never) {
  never.wait();
}

/// Processes started, joined, killed; a lock and a value.
void use_processes(random_numbers&) {
  const troupe::value<long> number;
  const troupe::mutex lock;
  const troupe::event never;
  {
    auto first = troupe::start<count_up>(number, lock, 50);
    auto second = troupe::start<count_up>(number, lock, 50);
    auto third = troupe::start<wait_for_ever>(never);
    third.kill();
    require(third.join().signal() == SIGKILL, "a killed process ended else");
  }
  require(number.get() == 100, "a count under a lock is wrong");
}

void fill(troupe::queue<std::string> texts, troupe::queue<troupe::buffer> to,
          troupe::connection<int> with, unsigned start) {
  random_numbers random{start};
  for (int i = 0; i < 20; ++i) {
    texts.put(std::string(random() % 300'000, 'x'));
    troupe::buffer frame{1 + random() % (8U << 20)};
    frame.bytes().front() = std::byte{7};
    to.put(frame);
  }
  texts.close();
  to.close();
  with.send(1);
  require(with.receive() == 2, "a pipe lost a number");
}

void use_channels(random_numbers& random) {
  const troupe::queue<std::string> texts{4};
  const troupe::queue<troupe::buffer> frames{4};
  auto [here, there] = troupe::pipe<int>();
  auto writer = troupe::start<fill>(texts, frames, std::move(there),
                                    static_cast<unsigned>(random()));
  for (int i = 0; i < 20; ++i) {
    static_cast<void>(texts.get());
    require(frames.get().bytes().front() == std::byte{7}, "a frame is wrong");
  }
  require(here.receive() == 1, "a pipe lost a number");
  here.send(2);
  require(writer.join().success(), "a writer failed");
}

/// Objects of each kind, made and dropped.
void use_objects(random_numbers& random) {
  for (int i = 0; i < 200; ++i) {
    const troupe::value<int> number{i};
    const troupe::array<int> row(random() % 10'000 + 1);
    const troupe::queue<int> queue;
    const auto ends = troupe::pipe<int>();
    const troupe::mutex lock;
    const troupe::barrier gate{2};
    const troupe::event news;
    const troupe::semaphore units{2};
    queue.put(number);
    require(queue.get() == i, "a queue lost a number");
  }
}

using scores = troupe::held::dict<std::string, int>;

void play(scores points, int rounds) {
  for (int i = 0; i < rounds; ++i)
    points["all"] += 1;
}

void use_states(random_numbers&) {
  troupe::state state;
  auto points = state.make<scores>();
  points["all"] = 0;
  {
    auto player = troupe::start<play>(points, 50);
  }
  const int all = points["all"];
  require(all == 50, "a state lost a call");
}

std::string turn_round(const std::string& text) {
  if (text.size() % 97 == 0)
    std::raise(SIGKILL);
  return {text.rbegin(), text.rend()};
}

void use_pools(random_numbers& random) {
  troupe::pool pool{2};
  std::vector<std::string> texts;
  for (int i = 0; i < 20; ++i)
    texts.push_back(std::string(1 + random() % 200'000, 'p'));
  auto results = pool.imap<turn_round>(texts);
  for (const auto& text : texts)
    try {
      require(results.next()->size() == text.size(), "a result is wrong");
    } catch (const troupe::remote_error&) {
      require(text.size() % 97 == 0, "a task failed");
    }
}

caf::behavior echo(caf::event_based_actor*) {
  return {[](const std::string& text) { return text; }};
}

void use_actors(random_numbers& random) {
  const caf::actor other = troupe::spawn<echo>();
  caf::scoped_actor self{troupe::actor_system()};
  for (int i = 0; i < 20; ++i) {
    const std::string text(random() % 300'000, 'a');
    self->request(other, 30s, text)
      .receive(
        [&](const std::string& back) {
          require(back == text, "an answer is wrong");
        },
        [](caf::error& why) { throw std::runtime_error{to_string(why)}; });
  }
  // An actor of another process ends when it is told to, and its process too.
  self->monitor(other);
  self->send_exit(other, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  if (program.arguments().size() != 2) {
    std::cerr << "usage: soak SECONDS FILE" << std::endl;
    return 2;
  }
  const double seconds = std::atof(program.arguments()[0]);
  std::ofstream samples{program.arguments()[1]};
  samples << "second,memory,reserved,private_memory,small_addresses,"
             "large_addresses,head_pages,descriptors,threads,processes,rounds"
          << std::endl;
  random_numbers random{std::random_device{}()};
  const auto start = clock_type::now();
  const auto passed = [&] {
    return std::chrono::duration<double>(clock_type::now() - start).count();
  };
  std::uint64_t rounds = 0;
  double next_sample = 0;
  try {
    for (; passed() < seconds; ++rounds)
      for (const auto part : {use_processes, use_channels, use_objects,
                              use_states, use_pools, use_actors}) {
        part(random);
        // Between two parts: then what a part uses is over.
        if (passed() < next_sample)
          continue;
        write_sample(samples, passed(), rounds);
        next_sample = passed() + 1;
      }
  } catch (const std::exception& failure) {
    std::cerr << "round " << rounds << ": " << failure.what() << std::endl;
    return 1;
  }
  std::cout << rounds << " rounds" << std::endl;
  return 0;
}
