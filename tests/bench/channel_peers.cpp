// SPDX-License-Identifier: BSL-1.0
#include "channel_peers.hpp"

#include "bare.hpp"
#include "suite.hpp"

#include <boost/interprocess/ipc/message_queue.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#ifdef TROUPE_BENCH_ZEROMQ
#  include <zmq.h>
#endif

namespace bench::peers {

namespace {

bool read_whole(int from, void* into, std::size_t size) {
  auto* at = static_cast<char*>(into);
  while (size > 0) {
    const auto got = ::read(from, at, size);
    if (got <= 0)
      return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

void write_whole(int to, const void* from, std::size_t size) {
  const auto* at = static_cast<const char*>(from);
  while (size > 0) {
    const auto put = ::write(to, at, size);
    if (put <= 0)
      std::abort();
    at += put;
    size -= static_cast<std::size_t>(put);
  }
}

/// When the reader had the last message.
struct finish {
  clock_type::time_point at;
};

double rate(long count, clock_type::time_point start,
            const shared_page<finish>& end) {
  return static_cast<double>(count)
         / std::chrono::duration<double>(end->at - start).count();
}

struct socket_ends {
  int here = -1;
  int there = -1;

  explicit socket_ends(int type) {
    int ends[2];
    if (::socketpair(AF_UNIX, type, 0, ends) != 0)
      std::abort();
    here = ends[0];
    there = ends[1];
  }
  socket_ends(const socket_ends&) = delete;
  socket_ends& operator=(const socket_ends&) = delete;
  ~socket_ends() {
    ::close(here);
    ::close(there);
  }
};

} // namespace

double boost_queue(long count) {
  namespace ipc = boost::interprocess;
  const auto name = "troupe-bench-" + std::to_string(::getpid());
  ipc::message_queue::remove(name.c_str());
  ipc::message_queue queue{ipc::create_only, name.c_str(), 8192, sizeof(int)};
  // Both have it open by now, and a fork keeps that.
  ipc::message_queue::remove(name.c_str());
  const shared_page<finish> end;
  clock_type::time_point start;
  {
    const fork_of_this reader{[&] {
      int number = 0;
      ipc::message_queue::size_type size = 0;
      unsigned priority = 0;
      for (long i = 0; i <= count; ++i)
        queue.receive(&number, sizeof number, size, priority);
      end->at = clock_type::now();
    }};
    int number = 0;
    queue.send(&number, sizeof number, 0);
    while (queue.get_num_msg() != 0)
      ::usleep(100);
    start = clock_type::now();
    for (; number < count; ++number)
      queue.send(&number, sizeof number, 0);
  }
  return rate(count, start, end);
}

double zeromq([[maybe_unused]] long count) {
#ifdef TROUPE_BENCH_ZEROMQ
  // An address in the abstract namespace leaves no file.
  const auto address = "ipc://@troupe-bench-" + std::to_string(::getpid());
  const shared_page<finish> end;
  clock_type::time_point start;
  void* context = nullptr;
  void* socket = nullptr;
  {
    const fork_of_this reader{[&] {
      context = ::zmq_ctx_new();
      socket = ::zmq_socket(context, ZMQ_PULL);
      if (::zmq_bind(socket, address.c_str()) != 0)
        std::abort();
      int number = 0;
      for (long i = 0; i <= count;)
        if (::zmq_recv(socket, &number, sizeof number, 0) >= 0)
          ++i;
      end->at = clock_type::now();
    }};
    context = ::zmq_ctx_new();
    socket = ::zmq_socket(context, ZMQ_PUSH);
    ::zmq_connect(socket, address.c_str());
    const auto send = [socket](int number) {
      // A signal interrupts it.
      while (::zmq_send(socket, &number, sizeof number, 0) < 0)
        if (errno != EINTR)
          std::abort();
    };
    send(0);
    ::usleep(200'000);
    start = clock_type::now();
    for (int number = 0; number < count; ++number)
      send(number);
  }
  // Not before the reader has all: the end of an ipc connection loses some.
  ::zmq_close(socket);
  ::zmq_ctx_term(context);
  return rate(count, start, end);
#else
  return 0;
#endif
}

double socket_pair(long count, std::size_t size) {
  // Small messages keep their borders, as they do in the others.
  const socket_ends ends{size <= 4096 ? SOCK_SEQPACKET : SOCK_STREAM};
  const shared_page<finish> end;
  const std::vector<char> message(size);
  clock_type::time_point start;
  {
    const fork_of_this reader{[&] {
      std::vector<char> into(size);
      for (long i = 0; i <= count; ++i)
        if (!read_whole(ends.there, into.data(), size))
          std::abort();
      end->at = clock_type::now();
    }};
    write_whole(ends.here, message.data(), size);
    ::usleep(10'000);
    start = clock_type::now();
    for (long i = 0; i < count; ++i)
      write_whole(ends.here, message.data(), size);
  }
  return rate(count, start, end);
}

double socket_pair_round_trip(double seconds) {
  const socket_ends ends{SOCK_STREAM};
  const fork_of_this other{[&] {
    std::uint64_t number = 0;
    while (read_whole(ends.there, &number, sizeof number) && number != 0)
      write_whole(ends.there, &number, sizeof number);
  }};
  const auto turn = [&](std::uint64_t number) {
    write_whole(ends.here, &number, sizeof number);
    if (number != 0)
      read_whole(ends.here, &number, sizeof number);
  };
  turn(1);
  const auto took = mean_time(seconds, [&] { turn(2); });
  turn(0);
  return took * 1e6;
}

double copy(long count, std::size_t size) {
  const std::vector<char> from(size, 'x');
  std::vector<char> into(size);
  const auto start = clock_type::now();
  for (long i = 0; i < count; ++i) {
    std::memcpy(into.data(), from.data(), size);
    // So that each copy is one.
    asm volatile("" : : "r"(into.data()) : "memory");
  }
  return static_cast<double>(count) / seconds_since(start);
}

} // namespace bench::peers
