// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/network/connection.hpp>
#include <troupe/network/listener.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <atomic>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "shared_key.hpp"

using namespace std::chrono_literals;
using troupe::bytes;
using troupe::bytes_view;
using troupe::network::address;
using troupe::network::connection;
using troupe::network::key;
using troupe::network::listener;
using troupe::network::service;
using troupe::test::eventually;
using troupe::test::shared;

namespace {

bytes bytes_of(const std::string& text) {
  bytes made(text.size());
  std::memcpy(made.data(), text.data(), text.size());
  return made;
}

std::string text_of(bytes_view from) {
  return {reinterpret_cast<const char*>(from.data()), from.size()};
}

/// Answers with what it is asked; "keep" is answered later.
struct echo {
  std::mutex mutex;
  std::vector<service::reply_function> kept;
  std::vector<std::string> order;
  std::vector<std::uint64_t> gone;

  service offer() {
    return {[this](std::uint64_t, bytes_view request,
                   service::reply_function reply) {
              const auto text = text_of(request);
              const std::scoped_lock guard{mutex};
              if (text == "keep")
                return kept.push_back(std::move(reply));
              if (text.starts_with("note"))
                order.push_back(text);
              reply(request);
            },
            {},
            [this](std::uint64_t client) {
              const std::scoped_lock guard{mutex};
              gone.push_back(client);
            }};
  }

  std::size_t waiting() {
    const std::scoped_lock guard{mutex};
    return kept.size();
  }

  std::size_t left() {
    const std::scoped_lock guard{mutex};
    return gone.size();
  }
};

} // namespace

TEST_CASE("a request crosses, and so does its answer") {
  for (const auto* host : {"127.0.0.1", "::1", "localhost"}) {
    CAPTURE(host);
    echo there;
    const listener door{address{host, 0}, shared(), there.offer()};
    CHECK(door.where().port() != 0);
    connection line{door.where(), shared()};
    CHECK(text_of(line.call(bytes_of("hello"))->take()) == "hello");
    CHECK(line.call({})->take().empty());
    const bytes large(10 << 20, std::byte{42});
    CHECK(line.call(large)->take() == large);
  }
}

TEST_CASE("many calls may be on their way, and their order is kept") {
  echo there;
  const listener door{address{}, shared(), there.offer()};
  connection line{door.where(), shared()};
  std::vector<std::shared_ptr<troupe::network::answer>> answers;
  for (int i = 0; i < 1000; ++i)
    answers.push_back(line.call(bytes_of("note " + std::to_string(i))));
  for (int i = 0; i < 1000; ++i)
    CHECK(text_of(answers[static_cast<std::size_t>(i)]->take())
          == "note " + std::to_string(i));
  const std::scoped_lock guard{there.mutex};
  for (std::size_t i = 0; i < 1000; ++i)
    CHECK(there.order[i] == "note " + std::to_string(i));
}

TEST_CASE("a call that waits does not hold up the next one") {
  echo there;
  const listener door{address{}, shared(), there.offer()};
  connection line{door.where(), shared()};
  const auto late = line.call(bytes_of("keep"));
  CHECK(text_of(line.call(bytes_of("now"))->take()) == "now");
  CHECK_FALSE(late->wait(troupe::deadline::after(1ms)));
  there.kept.at(0)(bytes_of("at last"));
  CHECK(text_of(late->take()) == "at last");
}

TEST_CASE("a service hears once that a client has gone, and of that one only") {
  echo there;
  const listener door{address{}, shared(), there.offer()};
  connection stays{door.where(), shared()};
  {
    connection goes{door.where(), shared()};
    CHECK(text_of(goes.call(bytes_of("hello"))->take()) == "hello");
    CHECK(door.clients() == 2);
  }
  CHECK(eventually([&] { return there.left() == 1; }));
  CHECK(eventually([&] { return door.clients() == 1; }));
  CHECK(text_of(stays.call(bytes_of("hello"))->take()) == "hello");
  CHECK(there.left() == 1);
}

TEST_CASE("each connection that ends tells the other end") {
  // One that did not would be noticed by its silence only.
  troupe::network::limits bounds;
  bounds.silence = 1h;
  echo there;
  const listener door{address{}, shared(), there.offer(), bounds};
  for (std::size_t i = 1; i <= 60; ++i) {
    {
      connection goes{door.where(), shared(), bounds};
      CHECK(goes.ask({}).empty());
    }
    REQUIRE(eventually([&] { return there.left() == i; }));
  }
}

TEST_CASE("calls on their way fail when the listener closes, and later ones") {
  echo there;
  auto door = std::make_unique<listener>(address{}, shared(), there.offer());
  connection line{door->where(), shared()};
  const auto first = line.call(bytes_of("keep"));
  const auto second = line.call(bytes_of("keep"));
  CHECK(eventually([&] { return there.waiting() == 2; }));
  door.reset();
  CHECK_THROWS_AS(static_cast<void>(first->take()), troupe::connection_lost);
  CHECK_THROWS_AS(static_cast<void>(second->take()), troupe::connection_lost);
  CHECK(line.is_lost());
  CHECK_THROWS_AS(static_cast<void>(line.call(bytes_of("more"))),
                  troupe::connection_lost);
  CHECK(there.left() == 1);
}

TEST_CASE("a wrong key gets nowhere, on either end, and disturbs nobody") {
  echo there;
  const listener door{address{}, shared(), there.offer()};
  connection line{door.where(), shared()};
  CHECK_THROWS_AS((connection{door.where(), key{"another key for tests"}}),
                  troupe::not_authentic);
  CHECK(text_of(line.call(bytes_of("still"))->take()) == "still");
  CHECK(eventually([&] { return door.strangers() == 0; }));
  CHECK(door.clients() == 1);
}

TEST_CASE("where nobody listens there is no connection") {
  address nowhere;
  {
    echo there;
    nowhere = listener{address{}, shared(), there.offer()}.where();
  }
  CHECK_THROWS_AS((connection{nowhere, shared()}), troupe::error);
}

TEST_CASE("a port that is taken is refused") {
  echo there;
  const listener door{address{}, shared(), there.offer()};
  CHECK_THROWS_AS((listener{door.where(), shared(), there.offer()}),
                  troupe::error_of<troupe::errc::os_failure>);
}

TEST_CASE("threads share a connection") {
  echo there;
  const listener door{address{}, shared(), there.offer()};
  connection line{door.where(), shared()};
  std::atomic<int> wrong{0};
  std::vector<std::thread> crew;
  for (int t = 0; t < 4; ++t)
    crew.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const auto text = std::to_string(t * 1000 + i);
        if (text_of(line.call(bytes_of(text))->take()) != text)
          ++wrong;
      }
    });
  for (auto& each : crew)
    each.join();
  CHECK(wrong == 0);
}

TEST_CASE("who asks is answered, whoever runs the sockets") {
  echo serving;
  const listener door{address{}, shared(), serving.offer()};
  connection line{door.where(), shared()};
  // A thread that is alone runs them itself, else another one does; each change
  // from one to the other has its chance here.
  for (int i = 0; i < 300; ++i) {
    const auto number = bytes_of(std::to_string(i));
    CHECK(line.ask(number) == number);
    const auto later = line.call(number);
    if (i % 2 == 0)
      CHECK(line.ask({}).empty());
    CHECK(later->take() == number);
    line.tell({});
    // Time: after which another thread runs the callbacks.
    if (i % 30 == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{i / 15});
  }
}

TEST_CASE("long requests that a thread waits for are answered, one after the "
          "other") {
  echo serving;
  const listener door{address{}, shared(), serving.offer()};
  connection line{door.where(), shared()};
  for (int i = 0; i < 60; ++i) {
    const bytes large(static_cast<std::size_t>(100'000 + i * 50'000),
                      static_cast<std::byte>(i));
    REQUIRE(line.ask(large) == large);
  }
  CHECK_FALSE(line.is_lost());
}

TEST_CASE("threads that ask at once are all answered") {
  echo serving;
  const listener door{address{}, shared(), serving.offer()};
  connection line{door.where(), shared()};
  std::atomic<int> right{0};
  std::vector<std::thread> all;
  for (int of = 0; of < 4; ++of)
    all.emplace_back([&, of] {
      for (int i = 0; i < 250; ++i) {
        const auto number = bytes_of(std::to_string(1000 * of + i));
        right += line.ask(number) == number ? 1 : 0;
      }
    });
  for (auto& each : all)
    each.join();
  CHECK(right == 1000);
}

TEST_CASE("a thread that waits long for what it asked holds up no other") {
  echo serving;
  const listener door{address{}, shared(), serving.offer()};
  connection line{door.where(), shared()};
  CHECK(line.ask({}).empty());
  bytes late;
  std::thread patient{[&] { late = line.ask(bytes_of("keep")); }};
  REQUIRE(eventually([&] { return serving.waiting() == 1; }));
  for (int i = 0; i < 50; ++i)
    CHECK(line.ask({}).empty());
  CHECK(line.call({})->take().empty());
  serving.kept[0](bytes_of("at last"));
  patient.join();
  CHECK(text_of(late) == "at last");
  CHECK(line.ask({}).empty());
}

TEST_CASE("what a thread asked fails with the connection") {
  echo serving;
  std::optional<listener> door{std::in_place, address{}, shared(),
                               serving.offer()};
  connection line{door->where(), shared()};
  CHECK(line.ask({}).empty());
  std::atomic<bool> failed{false};
  std::thread patient{[&] {
    try {
      static_cast<void>(line.ask(bytes_of("keep")));
    } catch (const troupe::connection_lost&) {
      failed = true;
    }
  }};
  REQUIRE(eventually([&] { return serving.waiting() == 1; }));
  door.reset();
  patient.join();
  CHECK(failed);
  CHECK(line.is_lost());
  CHECK_THROWS_AS(static_cast<void>(line.ask({})), troupe::connection_lost);
}

TEST_CASE("a connection on which nothing is said uses no processor") {
  echo serving;
  const listener door{address{}, shared(), serving.offer()};
  connection line{door.where(), shared()};
  CHECK(line.ask({}).empty());
  const auto before = std::clock();
  // Time: for which nothing is said.
  std::this_thread::sleep_for(1s);
  const auto used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  CHECK(used < 0.02);
}
