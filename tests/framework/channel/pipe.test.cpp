// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/start.hpp>

#include <support/blocked.hpp>
#include <support/eventually.hpp>
#include <support/living_bytes.hpp>
#include <support/passed.hpp>
#include <support/sleeping.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <signal.h>

using namespace std::chrono_literals;
using troupe::connection;
using troupe::put_result;
using troupe::test::activity_of;
using troupe::test::await_blocked;
using troupe::test::eventually;
using troupe::test::passed;
using troupe::test::sleep_for_ever;
using troupe::test::wait_kind;

namespace {

troupe::bytes bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span{text});
  return {view.begin(), view.end()};
}

/// Sends back what it receives, until the other end is closed.
void echo(connection<std::string> end) {
  try {
    for (;;)
      end.send(end.receive());
  } catch (const troupe::closed&) {
  }
}

} // namespace

// CPython: _TestConnection.test_connection
TEST_CASE("messages go both ways, whole, in order") {
  auto [here, there] = troupe::pipe<std::string>();
  auto child = troupe::start<echo>(there);
  there.close();
  here.send("hello");
  CHECK(here.receive() == "hello");
  here.send("");
  CHECK(here.receive().empty());
  const std::string large(20 << 20, 'x');
  here.send(large);
  CHECK(here.receive() == large);

  const auto since = std::chrono::steady_clock::now();
  CHECK_FALSE(here.poll());
  CHECK_FALSE(here.poll_for(-1s));
  CHECK_FALSE(here.poll_for(100ms));
  CHECK(std::chrono::steady_clock::now() - since >= 95ms);
  CHECK_FALSE(here.try_receive());
  CHECK_FALSE(here.try_receive_for(10ms));
  const auto long_ago = std::chrono::system_clock::now() - 1s;
  CHECK_FALSE(here.poll_until(long_ago));
  CHECK_FALSE(here.try_receive_until(long_ago));
  here.send("again");
  CHECK(here.poll_for(60s));
  CHECK(here.poll_until(long_ago));
  CHECK(here.poll());
  CHECK(here.try_receive() == "again");

  here.close();
  here.close();
  CHECK(here.is_closed());
  CHECK(passed(child));
  CHECK_THROWS_AS(here.send("x"), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(here.receive()), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(here.poll()), troupe::invalid_state);
}

// CPython: _TestConnection.test_duplex_false
TEST_CASE("a one-way pipe") {
  auto [receiver, sender] = troupe::pipe<int>(troupe::one_way);
  CHECK(receiver.can_receive());
  CHECK_FALSE(receiver.can_send());
  CHECK(sender.can_send());
  CHECK_FALSE(sender.can_receive());
  sender.send(1);
  CHECK(receiver.receive() == 1);
  CHECK_THROWS_AS(receiver.send(2), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(sender.receive()), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(sender.poll()), troupe::invalid_state);
}

TEST_CASE("the end of the stream comes after the last message") {
  auto [receiver, sender] = troupe::pipe<int>(troupe::one_way);
  sender.send(1);
  auto copy = sender;
  sender.close();
  CHECK(receiver.receive() == 1);
  CHECK_FALSE(receiver.poll());
  copy.send(2);
  copy.close();
  CHECK(receiver.poll());
  CHECK(receiver.receive() == 2);
  CHECK(receiver.poll());
  CHECK_THROWS_AS(static_cast<void>(receiver.receive()), troupe::closed);
  CHECK_THROWS_AS(static_cast<void>(receiver.try_receive()), troupe::closed);
}

TEST_CASE("nobody sends to an end that nobody holds") {
  auto [receiver, sender] = troupe::pipe<int>(troupe::one_way);
  sender.send(1);
  receiver.close();
  CHECK_THROWS_AS(sender.send(2), troupe::closed);
}

TEST_CASE("a killed holder ends the stream, and wakes who waits") {
  auto [here, there] = troupe::pipe<int>();
  auto child = troupe::start(
    [](connection<int> end) {
      end.send(1);
      sleep_for_ever();
    },
    there);
  there.close();
  CHECK(here.receive() == 1);
  std::thread killer{[&, waiter = troupe::os::this_thread_id()] {
    CHECK(await_blocked(waiter, wait_kind::item));
    child.kill();
  }};
  CHECK_THROWS_AS(static_cast<void>(here.receive()), troupe::closed);
  CHECK_THROWS_AS(here.send(1), troupe::closed);
  killer.join();
  child.join();
}

TEST_CASE("what a killed sender had sent comes before the end") {
  auto [receiver, sender] = troupe::pipe<int>(troupe::one_way);
  auto child = troupe::start(
    [](connection<int> end) {
      for (int i = 1; i <= 3; ++i)
        end.send(i);
      ::raise(SIGKILL);
    },
    sender);
  sender.close();
  CHECK(child.join().signal() == SIGKILL);
  for (int i = 1; i <= 3; ++i)
    CHECK(receiver.receive() == i);
  CHECK_THROWS_AS(static_cast<void>(receiver.receive()), troupe::closed);
}

TEST_CASE("an end that was given to a process that never took it is gone with "
          "that, joined or not") {
  for (int i = 0; i < 20; ++i) {
    auto [receiver, sender] = troupe::pipe<int>(troupe::one_way);
    const auto holder = troupe::start([](connection<int>) { sleep_for_ever(); },
                                      receiver);
    receiver.close();
    holder.kill();
    CHECK(eventually([&] {
      try {
        static_cast<void>(sender.try_send(1));
        return false;
      } catch (const troupe::closed&) {
        return true;
      }
    }));
  }
}

TEST_CASE("a sender that waits is woken when its receiver is killed") {
  auto [receiver, sender] = troupe::pipe<std::string>(troupe::one_way);
  const std::string message(100'000, 'm');
  while (sender.try_send(message) == put_result::done) {
  }
  const troupe::queue<int> begun;
  const auto holder = troupe::start(
    [](connection<std::string>, troupe::queue<int> to) {
      to.put(1);
      sleep_for_ever();
    },
    receiver, begun);
  receiver.close();
  CHECK(begun.get() == 1);
  auto child = troupe::start(
    [](connection<std::string> end, const std::string& what) {
      try {
        end.send(what);
        return 1;
      } catch (const troupe::closed&) {
        return 0;
      }
    },
    sender, message);
  CHECK(await_blocked(child.pid(), wait_kind::room));
  holder.kill();
  CHECK(passed(child));
  holder.join();
}

TEST_CASE("a sender waits for its receiver, and no longer than it lives") {
  auto [receiver, sender] = troupe::pipe<std::string>(troupe::one_way);
  const std::string message(100'000, 'm');
  int sent = 0;
  while (sender.try_send(message) == put_result::done)
    ++sent;
  CHECK(sent >= 2);
  CHECK(sent < 100);
  CHECK(sender.try_send_for(message, 20ms) == put_result::full);
  CHECK(sender.try_send_until(message, std::chrono::steady_clock::now() + 20ms)
        == put_result::full);
  auto child = troupe::start(
    [](connection<std::string> end, int count, std::int32_t waiter) {
      for (int i = 0; i < count; ++i)
        static_cast<void>(end.receive());
      return await_blocked(waiter, wait_kind::room) ? 0 : 1;
    },
    receiver, sent + 5, troupe::os::this_thread_id());
  receiver.close();
  for (int i = 0; i < 5; ++i)
    sender.send(message);
  CHECK_THROWS_AS(
    [&] {
      for (;;)
        sender.send(message);
    }(),
    troupe::closed);
  CHECK(passed(child));
}

// CPython: _TestConnection.test_spawn_close
TEST_CASE("the parent may close the child's end at once") {
  auto [here, there] = troupe::pipe<std::string>();
  auto child = troupe::start<echo>(there);
  there.close();
  here.send("hello");
  CHECK(here.receive() == "hello");
  here.close();
  CHECK(passed(child));
}

// CPython: _TestConnection.test_sendbytes, recv_bytes_into, maxlength
TEST_CASE("raw bytes with a longest length; too long loses nothing") {
  auto [a, b] = troupe::pipe<int>();
  const auto text = bytes_of("abcdefghijklmnopqrstuvwxyz");
  a.send_bytes(text);
  CHECK(b.receive_bytes() == text);
  a.send_bytes(troupe::bytes_view{text}.subspan(5, 3));
  CHECK(b.receive_bytes() == bytes_of("fgh"));
  a.send_bytes({});
  CHECK(b.receive_bytes().empty());
  a.send_bytes(text);
  CHECK_THROWS_AS(static_cast<void>(b.receive_bytes(10)),
                  troupe::limit_reached);
  std::array<std::byte, 26> buffer{};
  CHECK_THROWS_AS(static_cast<void>(
                    b.receive_bytes_into(std::span{buffer}.first(25))),
                  troupe::limit_reached);
  CHECK(b.receive_bytes_into(buffer) == 26);
  CHECK(std::equal(buffer.begin(), buffer.end(), text.begin()));
  a.send_bytes(text);
  CHECK(b.receive_bytes(26) == text);
}

// CPython: _TestPoll
TEST_CASE("poll with empty, several and adjoining messages") {
  auto [a, b] = troupe::pipe<int>();
  CHECK_FALSE(a.poll());
  b.send_bytes({});
  CHECK(a.poll());
  CHECK(a.poll());
  CHECK(a.receive_bytes().empty());
  CHECK_FALSE(a.poll());
  const std::vector<std::string> strings{"hello", "",    "a", "b",
                                         "",      "bye", "",  "lop"};
  for (const auto& each : strings)
    b.send_bytes(bytes_of(each));
  for (const auto& each : strings) {
    CHECK(a.poll());
    CHECK(a.receive_bytes() == bytes_of(each));
  }
  CHECK_FALSE(a.poll());
}

// CPython: _TestPoll.test_boundaries, test_dont_merge
TEST_CASE("messages are never merged or split") {
  auto [receiver, sender] = troupe::pipe<int>(troupe::one_way);
  auto child = troupe::start(
    [](connection<int> end) {
      for (std::size_t size = 1; size < 3000; size += 7)
        end.send_bytes(troupe::bytes(size, std::byte(size)));
      for (const std::size_t size : {70'000U, 3U, 3'000'000U, 1U})
        end.send_bytes(troupe::bytes(size, std::byte(size)));
    },
    sender);
  sender.close();
  for (std::size_t size = 1; size < 3000; size += 7)
    REQUIRE(receiver.receive_bytes() == troupe::bytes(size, std::byte(size)));
  for (const std::size_t size : {70'000U, 3U, 3'000'000U, 1U})
    CHECK(receiver.receive_bytes() == troupe::bytes(size, std::byte(size)));
  CHECK_THROWS_AS(static_cast<void>(receiver.receive_bytes()), troupe::closed);
  CHECK(passed(child));
}

// CPython: _TestPicklingConnections.test_pickling
TEST_CASE("a connection is an item, a message, an argument") {
  using ends = connection<std::string>;
  const troupe::queue<ends> counter;
  auto child = troupe::start(
    [](troupe::queue<ends> from) {
      auto end = from.get();
      end.send("from afar");
      if (end.receive() == "go")
        end.send("gone");
    },
    counter);
  auto [here, there] = troupe::pipe<std::string>();
  counter.put(there);
  there.close();
  CHECK(here.receive() == "from afar");
  here.send("go");
  CHECK(here.receive() == "gone");
  CHECK(passed(child));
  CHECK_THROWS_AS(static_cast<void>(here.receive()), troupe::closed);

  auto [a, b] = troupe::pipe<ends>();
  auto [c, d] = troupe::pipe<std::string>();
  a.send(c);
  c.close();
  b.receive().send("through a pipe");
  CHECK(d.receive() == "through a pipe");
  CHECK_THROWS_AS(static_cast<void>(d.receive()), troupe::closed);
}

TEST_CASE("a message that is never received keeps nothing alive for ever") {
  auto [here, there] = troupe::pipe<std::string>();
  {
    auto [a, b] = troupe::pipe<connection<std::string>>();
    a.send(there);
    there.close();
    CHECK_FALSE(here.poll());
  }
  // With the carrying pipe went the message, and with it the end.
  CHECK(here.poll());
  CHECK_THROWS_AS(static_cast<void>(here.receive()), troupe::closed);
}

TEST_CASE("several processes use one end") {
  auto [here, there] = troupe::pipe<int>();
  std::vector<troupe::process> children;
  for (int i = 0; i < 4; ++i)
    children.push_back(troupe::start(
      [](connection<int> end) {
        try {
          for (;;)
            end.send(end.receive() * 2);
        } catch (const troupe::closed&) {
        }
      },
      there));
  there.close();
  long sum = 0;
  for (int i = 0; i < 2000; ++i)
    here.send(i);
  for (int i = 0; i < 2000; ++i)
    sum += here.receive();
  CHECK(sum == 2L * 1999 * 2000 / 2);
  here.close();
  for (const auto& each : children)
    CHECK(passed(each));
}

TEST_CASE("pipes leave no memory behind") {
  troupe::memory::warm_memory::give_back_own();
  const auto before = troupe::test::living_bytes();
  for (int i = 0; i < 20; ++i) {
    auto [a, b] = troupe::pipe<std::string>();
    a.send("unread");
    b.send(std::string(5 << 20, 'u'));
  }
  // What this process keeps for its next large message.
  troupe::memory::warm_memory::give_back_own();
  CHECK(troupe::test::living_bytes() == before);
}

TEST_CASE("a handle of another type is refused") {
  auto [a, b] = troupe::pipe<int>();
  troupe::codec::packet message;
  troupe::codec::encode_into(message, a);
  CHECK_THROWS_AS(
    static_cast<void>(
      troupe::codec::decode<connection<std::string>>(std::move(message))),
    troupe::malformed_bytes);
}

// CPython: _TestPollEintr, TestIgnoreEINTR
TEST_CASE("signals that come while one waits change nothing") {
  struct sigaction before = {};
  struct sigaction noting = {};
  noting.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGUSR1, &noting, &before) == 0);
  auto [here, there] = troupe::pipe<int>();
  const auto waiter = ::pthread_self();
  std::thread sender{[&, end = there, number = troupe::os::this_thread_id()] {
    CHECK(await_blocked(number, wait_kind::item));
    for (int i = 0; i < 100; ++i) {
      CHECK(eventually([&] { return activity_of(number) == 'S'; }));
      ::pthread_kill(waiter, SIGUSR1);
    }
    end.send(1);
  }};
  CHECK(here.poll_for(60s));
  CHECK(here.receive() == 1);
  sender.join();
  CHECK(::sigaction(SIGUSR1, &before, nullptr) == 0);
}

TEST_CASE("a connection without a pipe is as a closed one, until it has one") {
  struct worker {
    troupe::process runs;
    connection<std::string> end;
  };
  std::vector<worker> workers(2);
  const connection<std::string> none;
  CHECK(none.is_closed());
  CHECK_FALSE(none.can_send());
  CHECK_FALSE(none.can_receive());
  CHECK_THROWS_AS(none.send("text"), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(none.receive()), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(none.poll()), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(troupe::start<echo>(none)),
                  troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(workers[0].end.readable_fd()),
                  troupe::invalid_state);
  for (auto& each : workers) {
    auto [here, there] = troupe::pipe<std::string>();
    each.runs = troupe::start<echo>(there);
    each.end = here;
  }
  for (auto& each : workers) {
    each.end.send("text");
    CHECK(each.end.receive() == "text");
    each.end.close();
    CHECK(passed(each.runs));
  }
}
