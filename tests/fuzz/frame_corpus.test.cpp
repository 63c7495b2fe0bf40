// SPDX-License-Identifier: BSL-1.0

// What the fuzzer does, for a moment and without a fuzzer: right frames, every
// shortening of them, and many with bytes changed. And a process that really
// writes what cannot be.

#include "frame_input.hpp"

#include <troupe/mailbox/inbox.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/dead_letters.hpp>
#include <troupe/transport/frame.hpp>
#include <troupe/transport/node_name.hpp>

#include <support/eventually.hpp>
#include <support/leftovers.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <random>

namespace {

using namespace std::chrono_literals;
using troupe::transport::frame_kind;

constexpr auto patience = 20s;

std::int32_t answer_of(const caf::actor& whom) {
  caf::scoped_actor self{troupe::actor_system()};
  std::int32_t result = -1;
  self->request(whom, patience, std::int32_t{5})
    .receive([&](std::int32_t x) { result = x; },
             [](const caf::error& why) { MESSAGE(to_string(why)); });
  return result;
}

/// One of them has a handle of an object that lives as long as the program.
auto right_frames() {
  troupe::test::may_leave(troupe::memory::object_kind::user, 1);
  return fuzz::right_frames();
}

bool still_listens() {
  return answer_of(fuzz::listener()) == 5;
}

frame_kind kind_of(const std::vector<std::uint8_t>& input) {
  return input[0] % 2 == 0 ? static_cast<frame_kind>(input[1])
                           : frame_kind::none;
}

/// Answers; counts what comes from `from`; and, when told, writes a frame that
/// cannot be to the process of `reader`, as a process gone mad would.
caf::behavior scribbler(caf::event_based_actor* self) {
  return {
    [](std::int32_t x) { return x; },
    [self](caf::tick_atom, const caf::actor& to) {
      self->send(to, caf::tick_atom_v);
      return true;
    },
    [](caf::put_atom, const caf::actor& reader) {
      const auto home = troupe::transport::process_of(reader.node());
      const auto ring = troupe::mailbox::make_ring(*home, 4096, 0);
      troupe::mailbox::ring_writer writer{ring};
      static_cast<void>(writer.reserve(8));
      writer.publish(8, 99);
      troupe::mailbox::inbox::of(*home).announce(ring);
      troupe::memory::notify(
        troupe::memory::run_memory::current().slot(home->index));
    },
  };
}

/// Has `whom` tick `to`, and says when that has happened.
caf::behavior prompter(caf::event_based_actor* self) {
  return {
    [](std::int32_t x) { return x; },
    [self](caf::tick_atom, const caf::actor& whom, const caf::actor& to) {
      auto promise = self->make_response_promise<bool>();
      self->request(whom, patience, caf::tick_atom_v, to)
        .then([promise](bool done) mutable { promise.deliver(done); },
              [promise](caf::error& why) mutable {
                promise.deliver(std::move(why));
              });
      return promise;
    },
  };
}

/// Counts ticks.
caf::behavior counter() {
  auto ticks = std::make_shared<std::int32_t>(0);
  return {
    [ticks](caf::tick_atom) { ++*ticks; },
    [ticks](caf::get_atom) { return *ticks; },
  };
}

troupe::errc reason_of_end(caf::scoped_actor& self) {
  auto result = troupe::errc{};
  self->receive(
    [&](const caf::down_msg& down) {
      result = troupe::transport::code_of(down.reason);
    },
    caf::after(patience) >> [] {});
  return result;
}

} // namespace

TEST_CASE("right frames are taken") {
  for (const auto& each : right_frames())
    CHECK(fuzz::feed(each) == "");
  for (const auto& each : fuzz::misplaced_frames())
    CHECK(fuzz::feed(each) != "");
  CHECK(still_listens());
}

TEST_CASE("every shortening of a right frame is an error and nothing worse") {
  for (const auto& each : right_frames()) {
    const auto kind = kind_of(each);
    CAPTURE(static_cast<int>(kind));
    // The number of what is lent is the writer's as well.
    const auto heads
      = sizeof(troupe::transport::message_head)
        + ((each[2] & troupe::transport::with_handles) != 0 ? 8U : 0U);
    for (std::size_t size = 5; size < each.size(); ++size) {
      CAPTURE(size);
      const auto before = troupe::dead_letters();
      const auto refused = fuzz::feed(std::span{each}.first(size)) != "";
      const auto head = size < 5 + heads;
      switch (kind) {
        // The head is the writer's, the content its actor's.
        case frame_kind::message:
          CHECK((head ? refused : troupe::dead_letters() > before));
          break;
        // A first piece may be of any length, and a ring of bytes is noise.
        case frame_kind::first_piece:
        case frame_kind::none: break;
        default: CHECK(refused);
      }
    }
  }
  CHECK(still_listens());
}

TEST_CASE("changed frames are errors and nothing worse") {
  auto frames = right_frames();
  for (auto& each : fuzz::misplaced_frames())
    frames.push_back(std::move(each));
  std::minstd_rand random{11};
  const auto number = [&](std::size_t below) {
    return static_cast<std::size_t>(random()) % below;
  };
  const auto before = troupe::dead_letters();
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    auto changed = frames[number(frames.size())];
    for (auto times = number(6) + 1; times > 0; --times) {
      auto& byte = changed[number(changed.size())];
      switch (number(4)) {
        case 0: byte = 0xFF; break;
        case 1: byte = 0; break;
        case 2:
          byte = static_cast<std::uint8_t>(byte ^ (1U << number(8)));
          break;
        default: byte = static_cast<std::uint8_t>(random());
      }
    }
    if (fuzz::feed(changed) != "")
      ++refused;
  }
  CHECK(refused > 400);
  CHECK(troupe::dead_letters() > before + 400);
  CHECK(still_listens());
}

TEST_CASE("noise is an error and nothing worse") {
  std::minstd_rand random{12};
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::uint8_t> noise(random() % 300);
    for (auto& each : noise)
      each = static_cast<std::uint8_t>(random());
    if (fuzz::feed(noise) != "")
      ++refused;
  }
  CHECK(refused > 1900);
  CHECK(still_listens());
}

TEST_CASE("the actors of a process that writes what cannot be are dead, and "
          "others go on") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host asylum{"asylum"};
  troupe::host house{"house"};
  const auto mad = asylum.spawn<scribbler>();
  const auto neighbour = asylum.spawn<scribbler>();
  const auto witness = house.spawn<prompter>();
  const auto ticks = troupe::spawn<counter>(troupe::placement::here);
  const auto tick = [&] {
    bool ticked = false;
    self->request(witness, patience, caf::tick_atom_v, mad, ticks)
      .receive([&](bool done) { ticked = done; }, [](caf::error&) {});
    return ticked;
  };
  const auto count = [&] {
    std::int32_t result = -1;
    self->request(ticks, patience, caf::get_atom_v)
      .receive([&](std::int32_t x) { result = x; }, [](caf::error&) {});
    return result;
  };
  CHECK(tick());
  // The tick and the answer come by the rings of two processes: the answer may
  // be read first.
  CHECK(troupe::test::eventually([&] { return count() == 1; }, patience));
  self->monitor(mad);
  self->monitor(neighbour);
  self->send(mad, caf::put_atom_v, ticks);
  CHECK(reason_of_end(self) == troupe::errc::malformed_bytes);
  CHECK(reason_of_end(self) == troupe::errc::malformed_bytes);
  caf::error why;
  self->request(mad, patience, std::int32_t{1})
    .receive([](std::int32_t) {}, [&](caf::error& e) { why = e; });
  CHECK(troupe::transport::code_of(why) == troupe::errc::malformed_bytes);
  CHECK(asylum.view().is_alive());
  // Who believes it still does; here it is heard no more, whichever of its
  // rings it writes to. Each answer comes behind a tick.
  for (int i = 0; i < 10; ++i)
    CHECK(tick());
  CHECK(count() == 1);
  CHECK(answer_of(witness) == 5);
  CHECK(still_listens());
  caf::anon_send_exit(ticks, caf::exit_reason::user_shutdown);
}
