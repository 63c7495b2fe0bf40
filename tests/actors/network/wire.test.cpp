// SPDX-License-Identifier: BSL-1.0
//
// What somebody on the way can do: hear, change, cut and repeat.

#include <troupe/base/error.hpp>
#include <troupe/network/connect.hpp>
#include <troupe/network/connection.hpp>
#include <troupe/network/listener.hpp>
#include <troupe/network/publish.hpp>
#include <troupe/os/tcp.hpp>
#include <troupe/state/dict.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "relay.hpp"
#include "shared_key.hpp"

namespace held = troupe::held;
using namespace std::chrono_literals;
using troupe::bytes;
using troupe::bytes_view;
using troupe::state;
using troupe::network::address;
using troupe::network::connection;
using troupe::network::limits;
using troupe::network::listener;
using troupe::network::service;
using troupe::test::eventually;
using troupe::test::relay;
using troupe::test::secret_key;
using troupe::test::shared;

namespace {

bytes bytes_of(const std::string& text) {
  bytes made(text.size());
  std::memcpy(made.data(), text.data(), text.size());
  return made;
}

/// What is found by its silence only is not found here.
limits silent() {
  limits bounds;
  bounds.silence = 1h;
  return bounds;
}

/// Notes what it is asked; answers all but "keep".
struct notes {
  std::mutex mutex;
  std::vector<std::string> asked;
  std::size_t gone = 0;

  service offer() {
    return {[this](std::uint64_t, bytes_view request,
                   service::reply_function reply) {
              std::string text{reinterpret_cast<const char*>(request.data()),
                               request.size()};
              {
                const std::scoped_lock guard{mutex};
                asked.push_back(text);
              }
              if (text != "keep")
                reply(request);
            },
            {},
            [this](std::uint64_t) {
              const std::scoped_lock guard{mutex};
              ++gone;
            }};
  }

  std::size_t times(const std::string& text) {
    const std::scoped_lock guard{mutex};
    return static_cast<std::size_t>(
      std::count(asked.begin(), asked.end(), text));
  }

  std::size_t all() {
    const std::scoped_lock guard{mutex};
    return asked.size();
  }

  std::size_t left() {
    const std::scoped_lock guard{mutex};
    return gone;
  }
};

/// One byte of the second call, or of its answer, is another on its way.
void check_change_ends_connection(notes& there, relay::direction way) {
  const listener door{address{}, shared(), there.offer(), silent()};
  relay between{door.where()};
  connection line{between.where(), shared(), silent()};
  CHECK(line.call(bytes_of("one"))->take() == bytes_of("one"));
  between.change_next(way);
  const auto changed = line.call(bytes_of("two"));
  CHECK_THROWS_AS(static_cast<void>(changed->take()), troupe::connection_lost);
  CHECK(between.has_changed(way));
  CHECK(eventually([&] { return there.left() == 1; }));
}

} // namespace

TEST_CASE("nothing that crosses can be read on its way") {
  const std::string name{"the name of the one who pays"};
  const std::string text{"what nobody else may read"};
  const state near;
  const relay between{troupe::network::publish(near, address{}, shared())};
  {
    const auto far = troupe::connect(between.where(), shared());
    const auto dict = far.make<held::dict<std::string, std::string>>();
    dict.set(name, text);
    CHECK(dict.at(name) == text);
    CHECK_THROWS(static_cast<void>(dict.at("x")));
  }
  for (const auto way : {relay::to_server, relay::to_client}) {
    const auto heard = between.heard(way);
    CHECK(heard.size() > 500);
    for (const auto& words : {name, text, std::string{secret_key}})
      CHECK(heard.find(words) == std::string::npos);
  }
}

TEST_CASE("what crosses in clear is heard by the same ear") {
  // Without this the case above might search in vain.
  const auto open = troupe::os::listen_tcp("127.0.0.1", 0);
  const relay between{address{troupe::os::local_port(open.get())}};
  const auto fd = troupe::os::connect_tcp("127.0.0.1", between.where().port(),
                                          troupe::deadline::after(20s));
  const std::string text{"what everybody may read"};
  REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL)
          == static_cast<ssize_t>(text.size()));
  CHECK(eventually([&] { return between.heard(relay::to_server) == text; }));
}

TEST_CASE("a request that is changed on its way is not served, and ends the "
          "connection") {
  notes there;
  check_change_ends_connection(there, relay::to_server);
  CHECK(there.all() == 1);
}

TEST_CASE("an answer that is changed on its way is not taken, and ends the "
          "connection") {
  notes there;
  check_change_ends_connection(there, relay::to_client);
  CHECK(there.times("two") == 1);
}

TEST_CASE("what was heard opens nothing and calls nothing when it is said "
          "again") {
  notes there;
  const listener door{address{}, shared(), there.offer(), silent()};
  const relay between{door.where()};
  connection line{between.where(), shared(), silent()};
  CHECK(line.call(bytes_of("one"))->take() == bytes_of("one"));
  const auto heard = between.heard(relay::to_server);
  const auto fd = troupe::os::connect_tcp("127.0.0.1", door.where().port(),
                                          troupe::deadline::after(20s));
  static_cast<void>(::send(fd.get(), heard.data(), heard.size(), MSG_NOSIGNAL));
  // It is sent away, not merely waited for.
  CHECK(eventually([&] {
    char one = 0;
    return ::recv(fd.get(), &one, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
  }));
  CHECK(eventually([&] { return door.strangers() == 0; }));
  CHECK(door.clients() == 1);
  CHECK(line.call(bytes_of("two"))->take() == bytes_of("two"));
  CHECK(there.all() == 2);
}

TEST_CASE("calls on a connection that is cut fail at once, and are sent to "
          "nobody again") {
  notes there;
  const listener door{address{}, shared(), there.offer(), silent()};
  relay between{door.where()};
  connection line{between.where(), shared(), silent()};
  CHECK(line.call(bytes_of("one"))->take() == bytes_of("one"));
  std::vector<std::shared_ptr<troupe::network::answer>> kept;
  for (int i = 0; i < 3; ++i)
    kept.push_back(line.call(bytes_of("keep")));
  REQUIRE(eventually([&] { return there.times("keep") == 3; }));
  between.cut();
  for (const auto& each : kept)
    CHECK_THROWS_AS(static_cast<void>(each->take()), troupe::connection_lost);
  CHECK_THROWS_AS(static_cast<void>(line.call(bytes_of("late"))),
                  troupe::connection_lost);
  CHECK(eventually([&] { return there.left() == 1; }));
  // The way is free: what would be sent again could come before this.
  connection next{between.where(), shared(), silent()};
  CHECK(next.call(bytes_of("next"))->take() == bytes_of("next"));
  CHECK(between.connections() == 2);
  CHECK(there.times("one") == 1);
  CHECK(there.times("keep") == 3);
  CHECK(there.all() == 5);
}
