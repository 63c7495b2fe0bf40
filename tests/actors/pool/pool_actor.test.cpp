// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/queue.hpp>
#include <troupe/pool/pool_actor.hpp>
#include <troupe/process/future.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/handle_coding.hpp>

#include <support/eventually.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

using namespace std::chrono_literals;
namespace pooling = troupe::pooling;
using troupe::errc;

namespace {

long square(long number) {
  return number * number;
}

std::string twice(const std::string& text) {
  return text + text;
}

void refuse(const std::string& why) {
  throw std::domain_error{why};
}

using numbers = troupe::queue<int>;

numbers put_and_return(const numbers& into, int number) {
  into.put(number);
  return into;
}

int die() {
  static_cast<void>(raise(SIGKILL));
  return 0;
}

int wait_for_ever() {
  for (;;)
    pause();
}

/// Asks for `F` from a thread and gives the answer, or the error.
template <auto F, class... Args>
auto ask(const troupe::pool_actor& to, Args... args) {
  using result = pooling::result_of<troupe::calls::named<F>>;
  std::pair<std::optional<result>, caf::error> got;
  caf::scoped_actor self{troupe::actor_system()};
  self->request(to, 60s, pooling::task_of<F>(args...))
    .receive(
      [&](const pooling::answer& from) {
        got.first = pooling::result_in<F>(from);
      },
      [&](const caf::error& why) { got.second = why; });
  return got;
}

long ask_for_square(const troupe::pool_actor& to, long number) {
  return ask<square>(to, number).first.value_or(-1);
}

/// In another process, where nobody has the queue but the task and the answer.
int ask_for_a_queue(const troupe::pool_actor& to) {
  return ask<put_and_return>(to, numbers{}, 5).first.value().get();
}

} // namespace

TEST_CASE("a task by message is answered by message") {
  const troupe::pool pool{2};
  const auto actor = troupe::actor_of(pool);
  CHECK(ask<square>(actor, 7L).first == 49);
  CHECK(ask<twice>(actor, "ab").first == "abab");
}

TEST_CASE("a scoped actor gives several tasks and receives their results") {
  const troupe::pool pool{2};
  const auto actor = troupe::actor_of(pool);
  caf::scoped_actor self{troupe::actor_system()};
  auto seven = pooling::request<square>(self, actor, 60s, 7L);
  auto eight = pooling::request<square>(self, actor, 60s, 8L);
  auto refused = pooling::request<refuse>(self, actor, 60s, "too odd");
  const auto unexpected = [](const caf::error& why) { FAIL(to_string(why)); };
  long sum = 0;
  std::move(seven).receive([&](long result) { sum += result; }, unexpected);
  std::move(eight).receive([&](long result) { sum += result; }, unexpected);
  CHECK(sum == 49 + 64);
  std::optional<errc> failed;
  std::move(refused).receive([] {},
                             [&](const caf::error& why) {
                               failed = troupe::transport::code_of(why);
                             });
  CHECK(failed == errc::remote_exception);
}

TEST_CASE("a pool has one actor, which knows its size") {
  const troupe::pool pool{2};
  const auto actor = troupe::actor_of(pool);
  CHECK(actor == troupe::actor_of(pool));
  caf::scoped_actor self{troupe::actor_system()};
  std::uint32_t size = 0;
  self->request(actor, 60s, troupe::size_atom_v)
    .receive([&](std::uint32_t got) { size = got; },
             [&](const caf::error& why) { FAIL(to_string(why)); });
  CHECK(size == 2);
}

TEST_CASE("another process gives tasks through the actor's handle") {
  const troupe::pool pool{1};
  CHECK(troupe::async<ask_for_square>(troupe::actor_of(pool), 9L).get() == 81);
}

TEST_CASE("handles are arguments and results of tasks by message") {
  const troupe::pool pool{2};
  const auto actor = troupe::actor_of(pool);
  const numbers into;
  const auto [back, why] = ask<put_and_return>(actor, into, 4);
  REQUIRE(back);
  CHECK(*back == into);
  CHECK(into.get() == 4);
  CHECK(troupe::async<ask_for_a_queue>(actor).get() == 5);
}

TEST_CASE("what a task throws is an error that tells the story") {
  const troupe::pool pool{1};
  const auto actor = troupe::actor_of(pool);
  caf::scoped_actor self{troupe::actor_system()};
  caf::error failure;
  self->request(actor, 60s, pooling::task_of<refuse>("too odd"))
    .receive([](const pooling::answer&) {},
             [&](const caf::error& why) { failure = why; });
  CHECK(troupe::transport::code_of(failure) == errc::remote_exception);
  const auto text = troupe::transport::text_of(failure);
  CHECK(text.find("too odd") != std::string::npos);
  CHECK(text.find("pool-1") != std::string::npos);
}

TEST_CASE("a task that kills its worker fails, and the next one runs") {
  const troupe::pool pool{1};
  const auto actor = troupe::actor_of(pool);
  const auto [result, why] = ask<die>(actor);
  CHECK(!result);
  CHECK(troupe::transport::code_of(why) == errc::process_died);
  CHECK(troupe::transport::text_of(why).find("SIGKILL") != std::string::npos);
  CHECK(ask<square>(actor, 3L).first == 9);
}

TEST_CASE("an actor does not block while its tasks run") {
  const troupe::pool pool{2};
  const auto workers = troupe::actor_of(pool);
  auto sum = std::make_shared<std::atomic<long>>(0);
  auto left = std::make_shared<std::atomic<int>>(100);
  troupe::actor_system().spawn([=](caf::event_based_actor* self) {
    for (long i = 0; i < 100; ++i)
      pooling::request<square>(self, workers, 60s, i)
        .then(
          [=](long got) {
            *sum += got;
            --*left;
          },
          [=](const caf::error&) { --*left; });
  });
  CHECK(troupe::test::eventually([&] { return *left == 0; }));
  CHECK(*sum == 328'350);
}

TEST_CASE("a function that the program does not have is refused") {
  const troupe::pool pool{1};
  caf::scoped_actor self{troupe::actor_system()};
  caf::error failure;
  self->request(troupe::actor_of(pool), 60s, pooling::task{1, 2, {}})
    .receive([](const pooling::answer&) {},
             [&](const caf::error& why) { failure = why; });
  CHECK(troupe::transport::code_of(failure) == errc::unknown_function);
}

TEST_CASE("a pool that ends answers what is open, and its actor ends") {
  auto pool = std::make_unique<troupe::pool>(1U);
  const auto actor = troupe::actor_of(*pool);
  caf::scoped_actor self{troupe::actor_system()};
  auto open = self->request(actor, 60s, pooling::task_of<wait_for_ever>());
  // Behind the task in the actor's mailbox: the pool has it by then.
  self->request(actor, 60s, troupe::size_atom_v)
    .receive([](std::uint32_t) {},
             [&](const caf::error& why) { FAIL(to_string(why)); });
  pool.reset();
  caf::error failure;
  open.receive([](const pooling::answer&) {},
               [&](const caf::error& why) { failure = why; });
  CHECK(troupe::transport::code_of(failure) == errc::cancelled);
  self->wait_for(actor);
}

TEST_CASE("a closed pool refuses tasks by message") {
  troupe::pool pool{1};
  const auto actor = troupe::actor_of(pool);
  pool.close();
  const auto [result, why] = ask<square>(actor, 2L);
  CHECK(!result);
  CHECK(troupe::transport::code_of(why) == errc::closed);
}
