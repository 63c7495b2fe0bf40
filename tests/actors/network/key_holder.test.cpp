// SPDX-License-Identifier: BSL-1.0
//
// What somebody with the key can do who does not keep to the protocol: end its
// own connection.

#include <troupe/base/error.hpp>
#include <troupe/network/connection.hpp>
#include <troupe/network/credentials.hpp>
#include <troupe/network/listener.hpp>
#include <troupe/network/tls_stream.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/tcp.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/seed.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "key_holder.hpp"
#include "shared_key.hpp"

using namespace troupe::network;
using troupe::bytes;
using troupe::bytes_view;
using troupe::deadline;
using troupe::test::eventually;
using troupe::test::forged_bytes;
using troupe::test::forged_frame;
using troupe::test::forged_hello;
using troupe::test::forged_messages;
using troupe::test::shared;
using namespace std::chrono_literals;

namespace {

service echo() {
  return {[](std::uint64_t, bytes_view request, service::reply_function reply) {
            reply(request);
          },
          {},
          [](std::uint64_t) {}};
}

const std::shared_ptr<const credentials>& shown() {
  static const auto made = credentials::of(shared());
  return made;
}

/// An end of a TLS session that says what it likes.
class speaker {
public:
  speaker(troupe::os::descriptor fd, tls_context::role as)
    : context_(shown(), as), tls_(context_), fd_(std::move(fd)) {
    REQUIRE(eventually([&] {
      const auto came_to = tls_.handshake();
      flush();
      return came_to == tls_stream::outcome::done || (hear(), false);
    }));
  }

  /// Returns whether all of it could be sent before the other end closed.
  bool say(const bytes& what) {
    constexpr std::size_t at_once = 1 << 20;
    for (std::size_t at = 0; at < what.size(); at += at_once) {
      const auto size = std::min(at_once, what.size() - at);
      if (!tls_.write(bytes_view{what}.subspan(at, size)) || !flush())
        return false;
    }
    return true;
  }

  /// Hears out what the other end says. Returns whether it closes.
  bool ends() {
    return eventually([&] { return !hear(); });
  }

  /// Hears until there are so many bytes.
  bytes hear_out(std::size_t size) {
    REQUIRE(eventually([&] { return (hear(), heard_.size() >= size); }));
    return heard_;
  }

private:
  bool flush() {
    bool open = true;
    return eventually([&] {
             while (!tls_.out().empty()) {
               const auto sent = troupe::os::send_some(fd_.get(), tls_.out());
               if (sent.what == troupe::os::transfer::outcome::would_wait) {
                 hear();
                 return false;
               }
               if (sent.what != troupe::os::transfer::outcome::some) {
                 open = false;
                 return true;
               }
               tls_.sent(sent.size);
             }
             return true;
           })
           && open;
  }

  /// Returns whether the connection is open.
  bool hear() {
    const auto got = troupe::os::receive_some(fd_.get(), tls_.room());
    if (got.what == troupe::os::transfer::outcome::would_wait)
      return true;
    if (got.what != troupe::os::transfer::outcome::some)
      return false;
    tls_.filled(got.size);
    std::array<std::byte, 16384> some;
    std::size_t size = 0;
    while (tls_.read(some, size) == tls_stream::outcome::done)
      heard_.insert(heard_.end(), some.begin(),
                    some.begin() + static_cast<std::ptrdiff_t>(size));
    return true;
  }

  tls_context context_;
  tls_stream tls_;
  troupe::os::descriptor fd_;
  bytes heard_;
};

speaker client_of(const address& where) {
  return {troupe::os::connect_tcp(where.host(), where.port(),
                                  deadline::after(20s)),
          tls_context::role::client};
}

bytes number_of(std::uint64_t number) {
  const auto made = to_bytes(number);
  return bytes(made.begin(), made.end());
}

bytes sign(std::uint64_t number, std::uint64_t heard) {
  const auto made = to_bytes(alive_content{number, heard});
  return bytes(made.begin(), made.end());
}

/// All that breaks the rules, each with what it is.
std::vector<std::pair<std::string, std::vector<forged_frame>>> forged() {
  using enum frame_kind;
  return {
    {"a second hello", {forged_hello(), forged_hello()}},
    {"a welcome", {forged_hello(), {welcome, 0, to_bytes(welcome_content{})}}},
    {"a refusal", {forged_hello(), {refusal, 0, to_bytes(refusal_content{})}}},
    {"a kind that does not exist",
     {forged_hello(), {static_cast<frame_kind>(0x20), 0}}},
    {"a message before hello", {{message, 1, bytes(10)}}},
    {"a message that begins before hello", {{begin, 1, number_of(1 << 20)}}},
    {"a piece of nothing", {forged_hello(), {piece, 1, bytes(10)}}},
    {"more of a message than was announced",
     {forged_hello(),
      {begin, 1, number_of(70'000)},
      {piece, 1, bytes(70'001)}}},
    {"a message that begins twice",
     {forged_hello(),
      {begin, 1, number_of(70'000)},
      {begin, 1, number_of(70'000)}}},
    {"a short message in pieces", {forged_hello(), {begin, 1, number_of(8)}}},
    {"a message of all the bytes there are",
     {forged_hello(), {begin, 1, number_of(~std::uint64_t{0})}}},
    {"two messages of a gibibyte",
     {forged_hello(),
      {begin, 1, number_of(longest_content)},
      {begin, 2, number_of(longest_content)}}},
    {"credit that is taken back", {forged_hello(), {credit, 0, number_of(1)}}},
    {"signs of life out of order", {forged_hello(), {alive, 0, sign(2, 0)}}},
    {"a sign of life that answers one that was never sent",
     {forged_hello(), {alive, 0, sign(1, 7)}}},
    {"a hello of something else",
     {{hello, 0, bytes(hello_content::size, std::byte{1})}}},
    {"nothing of ours", {{alive, 0, sign(1, 0)}}},
  };
}

/// A client that works all the time, and is answered what it asked.
class busy {
public:
  explicit busy(const address& where)
    : line_(where, shared()), thread_([this](const std::stop_token& stop) {
        for (std::uint8_t i = 0; !stop.stop_requested(); ++i)
          try {
            const bytes asked(64, std::byte{i});
            if (line_.ask(asked) != asked)
              return;
            ++answered_;
          } catch (const troupe::connection_lost&) {
            return;
          }
        whole_ = true;
      }) {
  }

  bool stop() {
    const auto before = answered_.load();
    const bool goes_on = eventually([&] { return answered_ > before + 10; });
    thread_.request_stop();
    thread_.join();
    return goes_on && whole_;
  }

private:
  connection line_;
  std::atomic<long> answered_{0};
  std::atomic<bool> whole_{false};
  std::jthread thread_;
};

} // namespace

TEST_CASE("forged frames of somebody with the key end its own connection, and "
          "nothing else") {
  const listener there{address{}, shared(), echo()};
  busy client{there.where()};
  for (const auto& [name, frames] : forged()) {
    INFO(name);
    auto one = client_of(there.where());
    static_cast<void>(one.say(forged_bytes(frames)));
    CHECK(one.ends());
    CHECK(eventually([&] { return there.clients() == 1; }));
  }
  CHECK(client.stop());
}

TEST_CASE("more messages than there is credit for end the connection") {
  // The service holds the first one up, so that all others wait.
  std::atomic<bool> goes_on{false};
  const listener there{
    address{},
    shared(),
    {[&](std::uint64_t, bytes_view, const service::reply_function&) {
       static_cast<void>(eventually([&] { return goes_on.load(); }));
     },
     {},
     [](std::uint64_t) {}}};
  auto one = client_of(there.where());
  std::vector<forged_frame> many{forged_hello()};
  for (std::uint64_t i = 0; i < credit_window / longest_small + 20; ++i)
    many.push_back({frame_kind::message, i, bytes(longest_small)});
  static_cast<void>(one.say(forged_bytes(many)));
  CHECK(one.ends());
  CHECK(eventually([&] { return there.clients() == 0; }));
  goes_on = true;
}

TEST_CASE("a key holder is answered what it asked, and nobody else is") {
  const listener there{address{}, shared(), echo()};
  busy client{there.where()};
  auto one = client_of(there.where());
  // The numbers of another's calls, and of ones that are answered already.
  std::vector<forged_frame> calls;
  for (std::uint64_t i = 0; i < 100; ++i)
    calls.push_back({frame_kind::message, i, bytes(32, std::byte{0xAA})});
  CHECK(one.say(forged_messages(calls)));
  const auto heard = one.hear_out(frame_header_size + welcome_content::size
                                  + 100 * (frame_header_size + 32));
  CHECK(heard.size() >= 100 * (frame_header_size + 32));
  CHECK(client.stop());
}

TEST_CASE("random frames of somebody with the key disturb nobody") {
  std::mt19937 random{troupe::test::seed()};
  const listener there{address{}, shared(), echo()};
  busy client{there.where()};
  for (int i = 0; i < 60; ++i) {
    auto said
      = forged_messages({{frame_kind::message, 1, bytes(random() % 100)},
                         {frame_kind::begin, 2, number_of(70'000)},
                         {frame_kind::piece, 2, bytes(random() % 70'000 + 1)}});
    for (auto changes = 1 + random() % 3; changes > 0; --changes)
      said[random() % std::min<std::size_t>(said.size(), 250)]
        = static_cast<std::byte>(random());
    auto one = client_of(there.where());
    static_cast<void>(one.say(said));
  }
  CHECK(eventually([&] { return there.clients() == 1; }));
  CHECK(client.stop());
}

TEST_CASE("a server with the key that forges frames ends its clients' "
          "connection, and no more") {
  const auto listening = troupe::os::listen_tcp("127.0.0.1", 0);
  const address where{troupe::os::local_port(listening.get())};
  using enum frame_kind;
  const forged_frame right{welcome, 0, to_bytes(welcome_content{1, 10'000})};
  std::vector<std::pair<std::string, std::vector<forged_frame>>> cases{
    {"a hello", {forged_hello()}},
    {"a message first", {{message, 1, bytes(8)}}},
    {"a refusal for no reason",
     {{refusal, 0, bytes(refusal_content::size, std::byte{9})}}},
    {"a second welcome", {right, right}},
    {"a piece of nothing", {right, {piece, 9, bytes(8)}}},
    {"an answer of all bytes there are",
     {right, {begin, 1, number_of(~std::uint64_t{0})}}},
    {"answers that nobody has asked for, and then nothing",
     {right, {message, 77, bytes(8)}, {too_long, 78}, {goodbye, 0}}},
  };
  troupe::os::tcp_acceptor from{listening.get()};
  for (const auto& [name, frames] : cases) {
    INFO(name);
    std::jthread server{[&] {
      troupe::os::descriptor taken;
      if (!eventually([&] {
            taken = from.accept();
            return static_cast<bool>(taken);
          }))
        return;
      speaker one{std::move(taken), tls_context::role::server};
      static_cast<void>(one.hear_out(frame_header_size + hello_content::size));
      static_cast<void>(one.say(forged_bytes(frames)));
      static_cast<void>(one.ends());
    }};
    const auto use = [&] {
      connection line{where, shared()};
      static_cast<void>(line.ask(bytes(8)));
    };
    CHECK_THROWS_AS(use(), troupe::connection_lost);
  }
}

TEST_CASE("a standard error that nobody reads stops nobody") {
  const auto full = troupe::os::make_pipe();
  const troupe::os::descriptor before{::dup(2)};
  REQUIRE(::dup2(full.writer.get(), 2) == 2);
  {
    const listener there{address{}, shared(), echo()};
    busy client{there.where()};
    // Each would write a line, and the pipe holds 64 KiB.
    const std::string much(60'000, '.');
    REQUIRE(troupe::os::write_all(2, much));
    for (int i = 0; i < 300; ++i) {
      auto one = troupe::os::connect_tcp(there.where().host(),
                                         there.where().port(),
                                         deadline::after(20s));
      const std::string noise{"who reads this?\r\n"};
      static_cast<void>(
        troupe::os::send_some(one.get(), std::as_bytes(std::span{noise})));
    }
    connection later{there.where(), shared()};
    CHECK(later.ask({}).empty());
    CHECK(eventually([&] { return there.strangers() == 0; }));
    CHECK(client.stop());
  }
  REQUIRE(::dup2(before.get(), 2) == 2);
}

TEST_CASE("200 strangers a second do not make those wait who have the key") {
  const listener there{address{}, shared(), echo()};
  const auto connects = [&] {
    const auto start = std::chrono::steady_clock::now();
    connection line{there.where(), shared()};
    CHECK(line.ask({}).empty());
    return std::chrono::steady_clock::now() - start;
  };
  const auto alone = std::max({connects(), connects(), connects()});
  std::jthread flood{[&](const std::stop_token& stop) {
    std::vector<troupe::os::descriptor> idle;
    auto next = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      idle.push_back(troupe::os::connect_tcp(
        there.where().host(), there.where().port(), deadline::after(20s)));
      if (idle.size() > 100)
        idle.erase(idle.begin());
      next += 5ms;
      // Time: 200 strangers a second.
      std::this_thread::sleep_until(next);
    }
  }};
  REQUIRE(eventually([&] { return there.strangers() > 20; }));
  std::vector<std::chrono::steady_clock::duration> beside;
  for (int i = 0; i < 7; ++i)
    beside.push_back(connects());
  std::sort(beside.begin(), beside.end());
  // A SYN that is dropped would be sent again a second later.
  CHECK(beside[3] < alone * 3 + 500ms);
}
