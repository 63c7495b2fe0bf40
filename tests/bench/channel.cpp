// SPDX-License-Identifier: BSL-1.0

// Queues and pipes: how many messages a second go through them, and how long a
// round trip takes, on an idle machine and on one that four busy processes
// fill. Beside Python's Queue and Pipe, Boost.Interprocess's message_queue, a
// Unix socket pair, ZeroMQ, a bare futex and memcpy.

#include "bare.hpp"
#include "channel_peers.hpp"
#include "peer.hpp"
#include "suite.hpp"

#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/value.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct block64 {
  std::uint64_t words[8];
};

std::int64_t now() {
  return bench::clock_type::now().time_since_epoch().count();
}

double per_second(long count, std::int64_t start, std::int64_t end) {
  return static_cast<double>(count) / (static_cast<double>(end - start) / 1e9);
}

/// Where processes wait until all of them are there.
struct gate {
  troupe::value<int> ready{0};
  troupe::value<bool> open{false};

  void pass() const {
    ++ready;
    while (!open.load())
      std::this_thread::yield();
  }
  void open_for(int processes) const {
    while (ready.load() != processes)
      std::this_thread::yield();
    open.store(true);
  }
};

std::int64_t fill(troupe::queue<int> queue, long count, gate start) {
  start.pass();
  const auto began = now();
  for (long i = 0; i < count; ++i)
    queue.put(static_cast<int>(i));
  return began;
}

std::int64_t drain(troupe::queue<int> queue, long count, gate start) {
  start.pass();
  for (long i = 0; i < count; ++i)
    static_cast<void>(queue.get());
  return now();
}

double queue_rate(long count, int pairs) {
  const troupe::queue<int> queue;
  const gate start;
  std::vector<troupe::future<std::int64_t>> readers;
  std::vector<troupe::future<std::int64_t>> writers;
  for (int i = 0; i < pairs; ++i) {
    readers.push_back(troupe::async<drain>(queue, count / pairs, start));
    writers.push_back(troupe::async<fill>(queue, count / pairs, start));
  }
  start.open_for(2 * pairs);
  std::vector<std::int64_t> began;
  std::vector<std::int64_t> ended;
  for (auto& each : writers)
    began.push_back(each.get());
  for (auto& each : readers)
    ended.push_back(each.get());
  return per_second(count / pairs * pairs, *std::ranges::min_element(began),
                    *std::ranges::max_element(ended));
}

std::int64_t receive_blocks(troupe::connection<block64> from, long count) {
  for (long i = 0; i <= count; ++i)
    static_cast<void>(from.receive());
  return now();
}

double block_rate(long count) {
  auto [reader, writer] = troupe::pipe<block64>(troupe::one_way);
  auto end = troupe::async<receive_blocks>(std::move(reader), count);
  block64 message{};
  writer.send(message);
  std::this_thread::sleep_for(std::chrono::milliseconds{10});
  const auto start = now();
  for (long i = 0; i < count; ++i) {
    message.words[0] = static_cast<std::uint64_t>(i);
    writer.send(message);
  }
  return per_second(count, start, end.get());
}

std::int64_t receive_large(troupe::connection<int> from, long count,
                           std::size_t size) {
  troupe::bytes into(size);
  for (long i = 0; i <= count; ++i)
    if (from.receive_bytes_into(into) != size || into.front() != into.back()
        || into.front() != static_cast<std::byte>(i))
      throw std::runtime_error{"another message was due"};
  return now();
}

double large_rate(long count, std::size_t size) {
  auto [reader, writer] = troupe::pipe<int>(troupe::one_way);
  auto end = troupe::async<receive_large>(std::move(reader), count, size);
  troupe::bytes message(size);
  const auto send = [&, &writer = writer](long i) {
    message.front() = message.back() = static_cast<std::byte>(i);
    writer.send_bytes(message);
  };
  send(0);
  std::this_thread::sleep_for(std::chrono::milliseconds{10});
  const auto start = now();
  for (long i = 1; i <= count; ++i)
    send(i);
  return per_second(count, start, end.get());
}

void echo(troupe::connection<std::uint64_t> with) {
  while (const auto number = with.receive())
    with.send(number);
}

double round_trip(double seconds) {
  auto [here, there] = troupe::pipe<std::uint64_t>();
  const auto other = troupe::start<echo>(std::move(there));
  const auto turn = [&here = here](std::uint64_t number) {
    here.send(number);
    static_cast<void>(here.receive());
  };
  turn(1);
  const auto took = bench::mean_time(seconds, [&] { turn(2); });
  here.send(0);
  return took * 1e6;
}

void be_busy() {
  for (volatile std::uint64_t work = 0;;)
    work = work + 1;
}

class measurement {
public:
  explicit measurement(bench::suite& suite)
    : suite_(suite), python_({"python3", TROUPE_BENCH_PEERS "/channel.py"}) {
    if (!python_.present())
      suite_.absent("python", "python3 is absent, or has no multiprocessing");
    if (bench::peers::zeromq(1) == 0)
      suite_.absent("zeromq", "its library was absent when this was compiled");
  }

  void queues() {
    if (!suite_.wants("queue"))
      return;
    const auto count = suite_.scaled(2'000'000L, 2'000L);
    rows({{"queue_1_1.troupe", [&] { return queue_rate(count, 1); }},
          {"queue_1_1.python", [&] { return ask("queue", count / 25, 1); }},
          {"queue_1_1.boost", [&] { return bench::peers::boost_queue(count); }},
          {"queue_1_1.zeromq", [&] { return bench::peers::zeromq(count); }},
          {"queue_2_2.troupe", [&] { return queue_rate(count, 2); }},
          {"queue_2_2.python", [&] { return ask("queue", count / 25, 2); }}},
         "1/s");
  }

  void pipes() {
    if (!suite_.wants("pipe"))
      return;
    using bench::peers::socket_pair;
    const auto count = suite_.scaled(2'000'000L, 2'000L);
    rows({{"pipe_64B.troupe", [&] { return block_rate(count); }},
          {"pipe_64B.python", [&] { return ask("pipe", count / 10, 64); }},
          {"pipe_64B.socketpair", [&] { return socket_pair(count / 10, 64); }}},
         "1/s");
    constexpr std::size_t size = 1 << 20;
    const auto large = suite_.scaled(2000L, 20L);
    const auto gigabytes = [](double messages) {
      return messages * static_cast<double>(size) / 1e9;
    };
    rows({{"pipe_1MiB.troupe",
           [&] { return gigabytes(large_rate(large, size)); }},
          {"pipe_1MiB.python",
           [&] { return gigabytes(ask("pipe", large / 4, size)); }},
          {"pipe_1MiB.socketpair",
           [&] { return gigabytes(socket_pair(large / 4, size)); }},
          {"pipe_1MiB.memcpy",
           [&] { return gigabytes(bench::peers::copy(large, size)); }}},
         "GB/s");
  }

  void round_trips(const std::string& metric) {
    if (!suite_.wants(metric))
      return;
    const auto time = suite_.scaled(0.3, 0.01);
    rows({{metric + ".troupe", [&] { return round_trip(time); }},
          {metric + ".python", [&] { return ask("round_trip", time); }},
          {metric + ".socketpair",
           [&] { return bench::peers::socket_pair_round_trip(time); }},
          {metric + ".futex", [&] { return bench::futex_round_trip(time); }}},
         "us");
  }

  void busy_round_trips() {
    std::vector<troupe::process> busy;
    for (int i = 0; i < 4; ++i)
      busy.push_back(troupe::start<be_busy>());
    round_trips("round_trip_8B_busy");
    for (const auto& each : busy)
      each.kill();
  }

  void figures() {
    suite_.at_least(30, "queue_1_1.troupe", "queue_1_1.python");
    suite_.at_least(1.5, "queue_1_1.troupe", "queue_1_1.boost");
    suite_.at_least(2, "queue_1_1.troupe", "queue_1_1.zeromq");
    suite_.at_least(15, "queue_2_2.troupe", "queue_2_2.python");
    suite_.at_least(15, "pipe_64B.troupe", "pipe_64B.python");
    suite_.at_least(8, "pipe_1MiB.troupe", "pipe_1MiB.python");
    suite_.at_least(0.25, "pipe_1MiB.troupe", "pipe_1MiB.memcpy");
    suite_.at_least(15, "round_trip_8B.python", "round_trip_8B.troupe");
    suite_.at_least(15, "round_trip_8B.socketpair", "round_trip_8B.troupe");
    suite_.at_most(1.2, "round_trip_8B_busy.troupe",
                   "round_trip_8B_busy.socketpair");
  }

private:
  struct row {
    std::string metric;
    std::function<double()> measure;
  };

  template <class... Arguments>
  double ask(std::string question, Arguments... arguments) {
    ((question += ' ' + std::to_string(arguments)), ...);
    return python_.present() ? python_.ask(question) : 0;
  }

  /// Measures all in turn, several times, so that a busy minute is one for all
  /// of them. What is 0 is not there.
  void rows(const std::vector<row>& all, const char* unit) {
    std::vector<std::vector<double>> values(all.size());
    for (int turn = 0; turn < suite_.scaled(3, 1); ++turn)
      for (std::size_t i = 0; i < all.size(); ++i)
        values[i].push_back(all[i].measure());
    for (std::size_t i = 0; i < all.size(); ++i)
      if (const auto middle = bench::median(values[i]); middle > 0)
        suite_.report(all[i].metric, middle, unit);
  }

  bench::suite& suite_;
  bench::peer python_;
};

} // namespace

int main(int argc, char** argv) {
  // As a program would that has little else to do: see
  // docs/performance/tuning.md.
  troupe::program program{argc, argv, {.move_threads = true}};
  bench::suite suite{"channel", argc, argv};
  measurement all{suite};
  all.queues();
  all.pipes();
  all.round_trips("round_trip_8B");
  all.busy_round_trips();
  all.figures();
  return 0;
}
