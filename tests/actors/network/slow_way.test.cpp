// SPDX-License-Identifier: BSL-1.0
//
// A way that is slow, or takes long to answer: bytes that come are a sign of
// life, what is short does not wait for what is long, and each end of a
// connection has its own cause.

#include <troupe/base/error.hpp>
#include <troupe/network/connection.hpp>
#include <troupe/network/listener.hpp>
#include <troupe/os/tcp.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "relay.hpp"
#include "shared_key.hpp"

using namespace std::chrono_literals;
using troupe::bytes;
using troupe::bytes_view;
using troupe::deadline;
using troupe::network::address;
using troupe::network::connection;
using troupe::network::limits;
using troupe::network::listener;
using troupe::network::service;
using troupe::test::eventually;
using troupe::test::relay;
using troupe::test::shared;
using clock_type = std::chrono::steady_clock;

namespace {

/// Answers with as many bytes as it is asked for behind "give ", else with the
/// size of what it was asked.
service sizes() {
  return {[](std::uint64_t, bytes_view request, service::reply_function reply) {
            const std::string text{reinterpret_cast<const char*>(
                                     request.data()),
                                   std::min<std::size_t>(request.size(), 20)};
            if (text.starts_with("give ")) {
              reply(bytes(std::stoul(text.substr(5)), std::byte{1}));
              return;
            }
            const auto size = request.size();
            reply(std::as_bytes(std::span{&size, 1}));
          },
          {},
          [](std::uint64_t) {}};
}

bytes ask_for(std::size_t size) {
  const auto text = "give " + std::to_string(size);
  const auto view = std::as_bytes(std::span{text});
  return bytes(view.begin(), view.end());
}

std::size_t number_in(const bytes& from) {
  std::size_t number = 0;
  REQUIRE(from.size() == sizeof number);
  std::copy(from.begin(), from.end(),
            std::as_writable_bytes(std::span{&number, 1}).begin());
  return number;
}

std::chrono::milliseconds time_of(const std::function<void()>& work) {
  const auto start = clock_type::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_type::now()
                                                               - start);
}

} // namespace

TEST_CASE("a message that takes many times the silence crosses a slow way, in "
          "both directions at once") {
  // 1 GiB at 10 Mbit/s takes 430 times a silence of 2 s. Here it is the same
  // rate and a sixth of that time, which is as much as a test may take.
  limits bounds;
  bounds.silence = 1s;
  constexpr std::size_t size = 9'000'000;
  const listener there{address{}, shared(), sizes(), bounds};
  const relay way{there.where(), {10'000'000 / 8, 0ms, false}};
  connection line{way.where(), shared(), bounds};
  bytes given;
  const auto took = time_of([&] {
    std::jthread down{[&] { given = line.call(ask_for(size))->take(); }};
    CHECK(number_in(line.call(bytes(size))->take()) == size);
  });
  CHECK(given.size() == size);
  // It was slow indeed.
  CHECK(took > 5 * bounds.silence);
  CHECK_FALSE(line.is_lost());
}

TEST_CASE("a short call beside a long one waits for some pieces of it, and not "
          "for all") {
  const listener there{address{}, shared(), sizes()};
  const relay way{there.where(), {20'000'000, 0ms, false}};
  connection line{way.where(), shared()};
  std::atomic<bool> over{false};
  std::chrono::milliseconds whole{0};
  std::jthread large{[&] {
    whole = time_of(
      [&] { CHECK(number_in(line.ask(bytes(60'000'000))) == 60'000'000); });
    over = true;
  }};
  std::chrono::milliseconds worst{0};
  int calls = 0;
  while (!over) {
    const auto one = time_of([&] { CHECK(number_in(line.ask({})) == 0); });
    if (!over) {
      worst = std::max(worst, one);
      ++calls;
    }
  }
  large.join();
  CHECK(whole > 2s);
  CHECK(calls > 10);
  CHECK_MESSAGE(worst < whole / 4, worst.count(), " ms of ", whole.count());
}

TEST_CASE("a server that takes long to answer is waited for until the limit of "
          "the caller") {
  limits bounds;
  bounds.silence = 300ms;
  const listener there{address{}, shared(), sizes()};
  const relay way{there.where(), {0, 2'500ms, true}};
  connection line{way.where(), shared(), bounds};
  CHECK(number_in(line.ask({})) == 0);
}

TEST_CASE("a server that never answers is told as one that is late, whatever "
          "the silence") {
  limits bounds;
  bounds.silence = 100ms;
  const auto mute = troupe::os::listen_tcp("127.0.0.1", 0);
  CHECK_THROWS_AS((connection{address{troupe::os::local_port(mute.get())},
                              shared(), bounds, deadline::after(1s)}),
                  troupe::timed_out);
}

TEST_CASE("a server that closes the connection before it is open is told as "
          "lost, and not as one with another key") {
  const auto closing = troupe::os::listen_tcp("127.0.0.1", 0);
  std::atomic<bool> stop{false};
  std::jthread closer{[&] {
    troupe::os::tcp_acceptor from{closing.get()};
    CHECK(eventually([&] { return from.accept() || stop; }));
  }};
  CHECK_THROWS_AS((connection{address{troupe::os::local_port(closing.get())},
                              shared()}),
                  troupe::connection_lost);
  stop = true;
}
