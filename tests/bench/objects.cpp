// SPDX-License-Identifier: BSL-1.0

// What it costs to make and drop an object of each kind, to use a buffer of 24
// MiB for the first time in a child, and how many frames of 24 MiB a second go
// from a process to another: as items of a queue, which are copied twice, and
// as buffers, which are not. Beside Python's shared_memory and iceoryx.
//
// Of each frame the sender writes all and the receiver reads all.
#include "frames.hpp"
#include "peer.hpp"
#include "suite.hpp"

#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/buffer.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/condition.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/semaphore.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using bench::frame_size;
using bench::read_all;

template <class Make>
void bench_kind(bench::suite& suite, const char* metric, int batch, Make make) {
  if (!suite.wants(metric))
    return;
  const auto measure = [&] {
    const auto start = bench::clock_type::now();
    for (int call = 0; call < batch; ++call)
      static_cast<void>(make());
    return bench::seconds_since(start) / batch * 1e6;
  };
  suite.report(metric, bench::median_of(9, measure), "us");
}

void bench_kinds(bench::suite& suite) {
  const auto often = suite.scaled(2000, 10);
  bench_kind(suite, "make_value", often, [] { return troupe::value<int>{}; });
  bench_kind(suite, "make_array_16", often,
             [] { return troupe::array<int>(16); });
  bench_kind(suite, "make_buffer_4KiB", often,
             [] { return troupe::buffer{4096}; });
  bench_kind(suite, "make_buffer_24MiB", suite.scaled(20, 2),
             [] { return troupe::buffer{frame_size}; });
  bench_kind(suite, "make_queue", often, [] { return troupe::queue<int>{}; });
  bench_kind(suite, "make_pipe", often, [] { return troupe::pipe<int>(); });
  bench_kind(suite, "make_pipe_and_use", often, [] {
    const auto ends = troupe::pipe<int>();
    ends.first.send(1);
    return ends.second.receive();
  });
  bench_kind(suite, "make_mutex", often, [] { return troupe::mutex{}; });
  bench_kind(suite, "make_semaphore", often,
             [] { return troupe::semaphore{1}; });
  bench_kind(suite, "make_condition", often,
             [] { return troupe::condition{}; });
  bench_kind(suite, "make_event", often, [] { return troupe::event{}; });
  bench_kind(suite, "make_barrier", often, [] { return troupe::barrier{2}; });
}

double read_once(troupe::buffer frame) {
  const auto start = bench::clock_type::now();
  if (read_all(frame.data(), frame.size()) == 0)
    throw std::runtime_error{"the frame is empty"};
  return bench::seconds_since(start) * 1e3;
}

void bench_first_use(bench::suite& suite) {
  const auto measure = [] {
    const troupe::buffer frame{frame_size};
    std::memset(frame.data(), 1, frame.size());
    return troupe::async<read_once>(frame).get();
  };
  suite.report("first_use_24MiB_in_child",
               bench::median_of(suite.scaled(9, 1), measure), "ms");
}

template <class Frame>
double receive_frames(troupe::queue<Frame> from, int count) {
  bench::clock_type::time_point start;
  for (int i = 0; i <= count; ++i) {
    const auto frame = from.get();
    if (read_all(frame.data(), frame.size()) == 0)
      throw std::runtime_error{"the frame is empty"};
    if (i == 0)
      start = bench::clock_type::now();
  }
  return count / bench::seconds_since(start);
}

double buffer_rate(int count) {
  const troupe::queue<troupe::buffer> frames{4};
  auto rate = troupe::async<receive_frames<troupe::buffer>>(frames, count);
  for (int i = 0; i <= count; ++i) {
    const troupe::buffer frame{frame_size};
    std::memset(frame.data(), i % 100 + 1, frame.size());
    frames.put(frame);
  }
  return rate.get();
}

double queue_rate(int count) {
  const troupe::queue<std::vector<std::byte>> frames{4};
  auto rate = troupe::async<receive_frames<std::vector<std::byte>>>(frames,
                                                                    count);
  std::vector<std::byte> frame(frame_size);
  for (int i = 0; i <= count; ++i) {
    std::memset(frame.data(), i % 100 + 1, frame.size());
    frames.put(frame);
  }
  return rate.get();
}

/// Reports what a peer says of its frames; says so where it is absent.
void report_frames(bench::suite& suite, const std::string& name,
                   const std::vector<const char*>& command,
                   const std::string& needs) {
  bench::peer asked{command};
  if (!asked.present()) {
    suite.absent(name, needs);
    return;
  }
  const auto question = "frames " + std::to_string(suite.scaled(100, 3));
  suite.report("frames_24MiB_buffer." + name,
               bench::median_of(suite.scaled(3, 1),
                                [&] { return asked.ask(question); }),
               "1/s");
}

void bench_frames(bench::suite& suite) {
  const int count = suite.scaled(100, 3);
  const int turns = suite.scaled(3, 1);
  suite.report("frames_24MiB_buffer.troupe",
               bench::median_of(turns, [&] { return buffer_rate(count); }),
               "1/s");
  report_frames(suite, "python", {"python3", TROUPE_BENCH_PEERS "/frames.py"},
                "python3 is absent, or has no shared_memory");
#ifdef TROUPE_BENCH_ICEORYX
  report_frames(suite, "iceoryx", {TROUPE_BENCH_ICEORYX},
                "iox-roudi is absent, or another one runs");
#else
  suite.absent("iceoryx", "its headers were not there when this was built");
#endif
  suite.report("frames_24MiB_queue",
               bench::median_of(turns, [&] { return queue_rate(count); }),
               "1/s");
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  bench::suite suite{"objects", argc, argv};
  bench_kinds(suite);
  bench_first_use(suite);
  bench_frames(suite);
  suite.compare("frames_24MiB_buffer.troupe", "frames_24MiB_buffer.python");
  suite.compare("frames_24MiB_buffer.troupe", "frames_24MiB_buffer.iceoryx");
  return 0;
}
