// SPDX-License-Identifier: BSL-1.0

// Handles in messages of actors: who keeps their objects, and until when.

#include <troupe/channel/queue.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/process/future.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/transport/bundle.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/dead_letters.hpp>
#include <troupe/transport/handle_coding.hpp>

#include <support/eventually.hpp>
#include <support/stopped.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using troupe::bundle;
using troupe::memory::kind_of;
using troupe::memory::object_id;
using troupe::memory::object_kind;
using troupe::test::eventually;

constexpr auto patience = 30s;

using numbers = troupe::queue<int>;

/// A queue's handle and something else.
struct order {
  numbers from;
  std::string name;
};

/// Keeps a queue that it is given, answers with one, passes one on.
caf::behavior keeper(caf::event_based_actor* self) {
  struct notes {
    std::vector<numbers> kept;
  };
  auto own = std::make_shared<notes>();
  return {
    [own](caf::put_atom, const bundle& what) {
      own->kept.push_back(what.get<numbers>());
      return own->kept.back().get();
    },
    [](caf::get_atom) {
      numbers fresh;
      fresh.put(17);
      return bundle::of(fresh);
    },
    [own](caf::sub_atom) {
      return static_cast<std::int32_t>(own->kept.size());
    },
    [](caf::update_atom, bundle what) { return what; },
    [](const bundle& what, const std::string& load) {
      return what.get<order>().name + load;
    },
    [self](caf::close_atom) { self->quit(); },
  };
}

template <class R, class... Args>
std::optional<R> ask(const caf::actor& whom, const Args&... what) {
  caf::scoped_actor self{troupe::actor_system()};
  std::optional<R> result;
  self->request(whom, patience, what...)
    .receive([&](const R& got) { result = got; },
             [](const caf::error& why) { MESSAGE(to_string(why)); });
  return result;
}

/// Keeps a process stopped while it lives.
class standing_still {
public:
  explicit standing_still(std::int32_t pid) : pid_(pid) {
    REQUIRE(troupe::test::stop(pid));
  }
  standing_still(const standing_still&) = delete;
  standing_still& operator=(const standing_still&) = delete;
  ~standing_still() {
    troupe::test::go_on(pid_);
  }

private:
  std::int32_t pid_;
};

bool is_gone(object_id where) {
  return eventually([&] { return kind_of(where) == object_kind::none; },
                    patience);
}

} // namespace

TEST_CASE("a queue goes to an actor in another process, and one comes back") {
  troupe::host house{"house"};
  const auto far = house.spawn<keeper>();
  const numbers given;
  given.put(5);
  CHECK(ask<int>(far, caf::put_atom_v, bundle::of(given)) == 5);
  const auto answer = ask<bundle>(far, caf::get_atom_v);
  REQUIRE(answer);
  CHECK(answer->get<numbers>().get() == 17);
  const auto back = ask<bundle>(far, caf::update_atom_v, bundle::of(given));
  REQUIRE(back);
  CHECK(back->get<numbers>() == given);
}

TEST_CASE("handles stand among other values, in a message of any size") {
  troupe::host house{"house"};
  const auto far = house.spawn<keeper>();
  const auto what = bundle::of(order{numbers{}, "Sam"});
  for (const std::size_t size : {0U, 10'000U, 100'000U, 5'000'000U}) {
    CAPTURE(size);
    const std::string load(size, 'x');
    CHECK(ask<std::string>(far, what, load) == "Sam" + load);
    // The size of the last one is the guess for the next.
    CHECK(ask<std::string>(far, what, load) == "Sam" + load);
  }
}

TEST_CASE("what a message carries lives until its reader has it, and not "
          "longer") {
  troupe::host house{"house"};
  const auto far = house.spawn<keeper>();
  object_id where = 0;
  {
    // Nobody reads while the process is stopped, and the sender has let go.
    const standing_still held{house.pid()};
    auto what = bundle::of(numbers{});
    what.get<numbers>().put(8);
    where = what.objects()[0].id();
    caf::anon_send(far, caf::put_atom_v, std::move(what));
    CHECK(kind_of(where) == object_kind::queue);
  }
  // The actor keeps it.
  CHECK(ask<bundle>(far, caf::get_atom_v));
  CHECK(kind_of(where) == object_kind::queue);
  house.kill();
  CHECK(is_gone(where));
}

TEST_CASE("what nobody reads is given up") {
  troupe::host house{"house"};
  const auto ended = house.spawn<keeper>();
  const auto neighbour = house.spawn<keeper>();
  caf::scoped_actor self{troupe::actor_system()};
  self->monitor(ended);
  caf::anon_send(ended, caf::close_atom_v);
  self->receive([](const caf::down_msg&) {}, caf::after(patience) >> [] {});
  SUBCASE("by an actor that has ended") {
    auto what = bundle::of(numbers{});
    const auto where = what.objects()[0].id();
    caf::anon_send(ended, caf::put_atom_v, std::move(what));
    CHECK(is_gone(where));
  }
  SUBCASE("by a process that is killed before") {
    object_id where = 0;
    {
      const standing_still held{house.pid()};
      auto what = bundle::of(numbers{});
      where = what.objects()[0].id();
      caf::anon_send(neighbour, caf::put_atom_v, std::move(what));
      house.kill();
    }
    CHECK(is_gone(where));
  }
}

TEST_CASE("a message whose sender died before it was read is lost with it, if "
          "nobody else holds what it carries") {
  troupe::host house{"house"};
  const auto far = house.spawn<keeper>();
  const auto sends = [](const caf::actor& to) {
    auto what = bundle::of(numbers{});
    what.get<numbers>().put(1);
    caf::anon_send(to, caf::put_atom_v, std::move(what));
    ::raise(SIGKILL);
  };
  troupe::process sender;
  {
    const standing_still held{house.pid()};
    sender = troupe::start(sends, far);
    sender.join();
  }
  CHECK(ask<std::int32_t>(far, caf::sub_atom_v) == 0);
  // The next one is read.
  auto next = bundle::of(numbers{});
  next.get<numbers>().put(6);
  CHECK(ask<int>(far, caf::put_atom_v, next) == 6);
  CHECK(ask<std::int32_t>(far, caf::sub_atom_v) == 1);
}

TEST_CASE("a process that ends in order waits until what it sent is taken") {
  troupe::host house{"house"};
  const auto far = house.spawn<keeper>();
  const numbers results;
  const auto sends = [](const caf::actor& to, const numbers& into) {
    caf::scoped_actor self{troupe::actor_system()};
    auto what = bundle::of(numbers{});
    what.get<numbers>().put(4);
    self->send(to, caf::put_atom_v, std::move(what));
    into.put(0);
  };
  troupe::process sender;
  {
    const standing_still held{house.pid()};
    sender = troupe::start(sends, far, results);
    CHECK(results.get() == 0);
    // Did it not wait, the queue would be gone with it before it is read.
    CHECK_FALSE(sender.join_for(200ms));
  }
  CHECK(sender.join().success());
  CHECK(ask<std::int32_t>(far, caf::sub_atom_v) == 1);
}

TEST_CASE("a bundle is an argument, an item of a queue, and in a queue of "
          "messages") {
  const numbers given;
  const auto what = bundle::of(given);
  const troupe::queue<bundle> bundles;
  const troupe::queue<caf::message> messages;
  auto ran = troupe::async(
    [](const bundle& argument, const troupe::queue<bundle>& from,
       const troupe::queue<caf::message>& through) {
      argument.get<numbers>().put(1);
      from.get().get<numbers>().put(2);
      through.get().get_as<bundle>(0).get<numbers>().put(3);
      return true;
    },
    what, bundles, messages);
  bundles.put(what);
  messages.put(caf::make_message(what));
  CHECK(ran.get());
  CHECK(std::vector{given.get(), given.get(), given.get()}
        == std::vector{1, 2, 3});
}

TEST_CASE("a bundle is shown, and CAF's own bytes carry it without handles "
          "only") {
  const auto plain = bundle::of(std::string{"plain"});
  const auto with_handle = bundle::of(numbers{});
  CHECK_FALSE(to_string(caf::make_message(with_handle)).empty());
  const auto written = [](bundle what) {
    caf::byte_buffer bytes;
    caf::binary_serializer to{nullptr, bytes};
    return to.apply(what);
  };
  CHECK(written(plain));
  CHECK_FALSE(written(with_handle));
}

TEST_CASE("several values in a bundle are read as a tuple") {
  const numbers given;
  const auto [number, queue]
    = bundle::of(3, given).get<std::tuple<int, numbers>>();
  CHECK(number == 3);
  CHECK(queue == given);
}

TEST_CASE("a bundle that holds something else is malformed, one whose handle "
          "is of another kind stale") {
  CHECK_THROWS_AS(static_cast<void>(bundle::of(3).get<std::string>()),
                  troupe::malformed_bytes);
  CHECK_THROWS_AS(static_cast<void>(bundle::of(3, 4).get<int>()),
                  troupe::malformed_bytes);
  CHECK_THROWS_AS(static_cast<void>(
                    bundle::of(numbers{}).get<troupe::value<int>>()),
                  troupe::stale_handle);
}
