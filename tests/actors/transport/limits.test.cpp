// SPDX-License-Identifier: BSL-1.0

// A process that the run has no memory left to talk to.

#include <troupe/channel/queue.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/handle_coding.hpp>

#include <support/eventually.hpp>
#include <support/living_bytes.hpp>
#include <support/passed.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using troupe::test::passed;

constexpr auto patience = 60s;

/// While it lives no shared object can be made in the run.
class no_memory {
public:
  no_memory() {
    header_.memory_limit = troupe::test::living_bytes();
  }
  no_memory(const no_memory&) = delete;
  no_memory& operator=(const no_memory&) = delete;
  ~no_memory() {
    header_.memory_limit = before_;
  }

private:
  troupe::memory::run_header& header_
    = troupe::memory::run_memory::current().header();
  std::uint64_t before_ = header_.memory_limit;
};

caf::behavior echo(caf::event_based_actor* self) {
  return {
    [](std::int32_t x) { return x; },
    [self](caf::close_atom) { self->quit(); },
  };
}

troupe::errc failure_of(caf::scoped_actor& self, const caf::actor& whom) {
  auto result = troupe::errc::none;
  self->request(whom, patience, std::int32_t{1})
    .receive([](std::int32_t) {},
             [&](const caf::error& why) {
               result = troupe::transport::code_of(why);
             });
  return result;
}

} // namespace

TEST_CASE("without memory for a ring a request fails, and only then") {
  const troupe::queue<caf::actor> handles;
  auto child = troupe::start(
    [](troupe::queue<caf::actor> to) {
      to.put(troupe::actor_system().spawn(echo));
      troupe::await_actors();
    },
    handles);
  caf::scoped_actor self{troupe::actor_system()};
  REQUIRE(troupe::test::eventually([&] { return !handles.empty(); }, patience));
  caf::actor other;
  {
    const no_memory full;
    other = handles.get();
    CHECK(failure_of(self, other) == troupe::errc::limit_reached);
  }
  CHECK(failure_of(self, other) == troupe::errc::none);
  self->send(other, caf::close_atom_v);
  CHECK(passed(child));
}

TEST_CASE("a process that cannot answer for want of memory lives on") {
  const troupe::queue<bool> heard;
  const troupe::queue<bool> turns;
  auto listener = troupe::actor_system().spawn(
    [](caf::event_based_actor*, troupe::queue<bool> to) -> caf::behavior {
      return {[to](std::int32_t x) {
        to.put(true);
        return x;
      }};
    },
    heard);
  auto child = troupe::start(
    [](caf::actor to, troupe::queue<bool> turn) {
      // Nobody to be answered yet.
      caf::anon_send(to, std::int32_t{0});
      static_cast<void>(turn.try_get_for(patience));
      caf::scoped_actor self{troupe::actor_system()};
      const auto answered = [&](caf::timespan limit) {
        bool result = false;
        static_cast<void>(turn.try_get_for(patience));
        self->request(to, limit, std::int32_t{1})
          .receive([&](std::int32_t) { result = true; }, [](caf::error&) {});
        return result;
      };
      static_cast<void>(answered(100ms));
      if (!answered(patience))
        throw std::runtime_error{"no answer"};
    },
    listener, turns);
  REQUIRE(heard.try_get_for(patience));
  turns.put(true);
  REQUIRE(troupe::test::eventually([&] { return turns.empty(); }, patience));
  {
    const no_memory full;
    turns.put(true);
    REQUIRE(heard.try_get_for(patience));
  }
  turns.put(true);
  CHECK(passed(child));
  caf::anon_send_exit(listener, caf::exit_reason::user_shutdown);
}
