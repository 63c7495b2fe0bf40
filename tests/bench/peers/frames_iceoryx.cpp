// SPDX-License-Identifier: BSL-1.0
// iceoryx's side of bench_objects: frames of 24 MiB, which a publisher loans
// from the memory of iceoryx's daemon RouDi, writes whole and publishes, and
// which a subscriber in another process reads whole; as for a line "frames
// COUNT" on stdin. The publisher waits while the subscriber has four frames to
// read.
#include "../bare.hpp"
#include "../frames.hpp"
#include "../suite.hpp"

#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using bench::frame_size;

/// A benchmark hangs no longer than that.
constexpr unsigned longest_seconds = 120;

/// RouDi, with memory for twelve frames.
class daemon_process {
public:
  daemon_process() {
    const auto file = ::mkstemp(config_);
    const std::string text = "[general]\nversion = 1\n[[segment]]\n"
                             "[[segment.mempool]]\nsize = "
                             + std::to_string(frame_size) + "\ncount = 12\n";
    int ends[2];
    if (file < 0
        || ::write(file, text.data(), text.size())
             != static_cast<ssize_t>(text.size())
        || ::pipe(ends) != 0)
      std::abort();
    ::close(file);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::execlp("iox-roudi", "iox-roudi", "-l", "error", "-c", config_, nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    // Stays open: it writes there at its end, too.
    output_ = ends[0];
    wait_until_ready();
  }

  ~daemon_process() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    ::close(output_);
    ::unlink(config_);
  }

  daemon_process(const daemon_process&) = delete;
  daemon_process& operator=(const daemon_process&) = delete;

  /// Whether it serves; not if it is absent, or another one runs.
  [[nodiscard]] bool runs() const noexcept {
    return ready_;
  }

private:
  /// Whoever comes before it is ready may wait for ever.
  void wait_until_ready() {
    std::string said;
    char part[256];
    for (ssize_t size = 1; !ready_ && size > 0;) {
      size = ::read(output_, part, sizeof part);
      if (size > 0)
        said.append(part, static_cast<std::size_t>(size));
      ready_ = said.find("ready for clients") != std::string::npos;
    }
  }

  char config_[32] = "/tmp/bench-iceoryx-XXXXXX";
  pid_t pid_ = -1;
  int output_ = -1;
  bool ready_ = false;
};

const iox::capro::ServiceDescription& topic() {
  static const iox::capro::ServiceDescription frames{"troupe", "bench",
                                                     "frames"};
  return frames;
}

void enter(const std::string& name) {
  iox::log::LogManager::GetLogManager().SetDefaultLogLevel(
    iox::log::LogLevel::kError, iox::log::LogLevelOutput::kHideLogLevel);
  iox::runtime::PoshRuntime::initRuntime(
    iox::RuntimeName_t{iox::cxx::TruncateToCapacity, name.c_str()});
}

/// Writes the frames a second into `answer`.
void receive(long count, int answer) {
  enter("frames_reader_" + std::to_string(::getpid()));
  iox::popo::SubscriberOptions options;
  options.queueCapacity = 4;
  options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
  iox::popo::UntypedSubscriber subscriber{topic(), options};
  iox::popo::WaitSet<> arrivals;
  arrivals.attachState(subscriber, iox::popo::SubscriberState::HAS_DATA)
    .or_else([](auto&) { std::abort(); });
  bench::clock_type::time_point start;
  for (long i = 0; i <= count;) {
    arrivals.wait();
    subscriber.take().and_then([&](const void* frame) {
      if (bench::read_all(static_cast<const std::byte*>(frame), frame_size)
          == 0)
        std::abort();
      subscriber.release(frame);
      if (i++ == 0)
        start = bench::clock_type::now();
    });
  }
  const double rate = static_cast<double>(count) / bench::seconds_since(start);
  if (::write(answer, &rate, sizeof rate) != sizeof rate)
    std::abort();
  arrivals.detachState(subscriber, iox::popo::SubscriberState::HAS_DATA);
}

void send(long count) {
  enter("frames_writer_" + std::to_string(::getpid()));
  iox::popo::PublisherOptions options;
  options.subscriberTooSlowPolicy
    = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
  iox::popo::UntypedPublisher publisher{topic(), options};
  while (!publisher.hasSubscribers())
    std::this_thread::yield();
  for (long i = 0; i <= count; ++i)
    publisher.loan(static_cast<std::uint32_t>(frame_size))
      .and_then([&](void* frame) {
        std::memset(frame, static_cast<int>(i % 100 + 1), frame_size);
        publisher.publish(frame);
      })
      .or_else([](auto) { std::abort(); });
  while (publisher.hasSubscribers())
    std::this_thread::yield();
}

/// Returns the frames a second, 0 if one of the two processes failed.
double frames(long count) {
  int ends[2];
  if (::pipe(ends) != 0)
    std::abort();
  double rate = 0;
  {
    // `exit`, so that they sign off at RouDi.
    const bench::fork_of_this reader{[&] {
      ::alarm(longest_seconds);
      receive(count, ends[1]);
      std::exit(0);
    }};
    const bench::fork_of_this writer{[&] {
      ::alarm(longest_seconds);
      send(count);
      std::exit(0);
    }};
    ::close(ends[1]);
    if (::read(ends[0], &rate, sizeof rate) != sizeof rate)
      rate = 0;
  }
  ::close(ends[0]);
  return rate;
}

} // namespace

int main() {
  daemon_process daemon;
  std::string word;
  while (std::cin >> word) {
    long count = 1;
    if (word == "frames" && !(std::cin >> count))
      break;
    const double alive = daemon.runs() ? 1 : 0;
    std::cout << (word == "frames" && alive > 0 ? frames(count) : alive)
              << std::endl;
  }
}
