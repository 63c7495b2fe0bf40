// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/ring.hpp>

#include <troupe/memory/run_memory.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <deque>
#include <random>
#include <string>

namespace {

using namespace troupe::mailbox;

struct pair {
  explicit pair(std::uint64_t capacity = 4096)
    : object(
        make_ring(troupe::memory::run_memory::current().self(), capacity, 0)),
      writer(object),
      reader(object) {
  }

  bool write(const std::string& text, std::uint32_t tag = 1) {
    auto* room = writer.reserve(text.size());
    if (room == nullptr)
      return false;
    std::memcpy(room, text.data(), text.size());
    writer.publish(text.size(), tag);
    return true;
  }

  std::string read() {
    ring_frame found;
    REQUIRE(reader.next(found) == ring_state::frame);
    std::string text(reinterpret_cast<const char*>(found.body.data()),
                     found.body.size());
    reader.take();
    return text;
  }

  ring_head& head() {
    return *object.as<ring_head>();
  }

  troupe::memory::reference object;
  ring_writer writer;
  ring_reader reader;
};

} // namespace

TEST_CASE("a new ring is empty") {
  pair ring;
  ring_frame found;
  CHECK(ring.reader.next(found) == ring_state::empty);
  CHECK(!ring.reader.ready());
  CHECK(is_ring_to_self(ring.object));
}

TEST_CASE("what is reserved is not seen before it is published") {
  pair ring;
  ring_frame found;
  REQUIRE(ring.writer.reserve(100) != nullptr);
  CHECK(ring.reader.next(found) == ring_state::empty);
  ring.writer.publish(10, 3);
  REQUIRE(ring.reader.next(found) == ring_state::frame);
  CHECK(found.tag == 3);
  CHECK(found.body.size() == 10);
}

TEST_CASE("frames of all sizes come out as they went in, around the end") {
  pair ring{1024};
  std::minstd_rand random{1};
  std::deque<std::string> expected;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text(random() % (ring.writer.largest() + 1),
                           static_cast<char>('a' + i % 26));
    while (!ring.write(text)) {
      REQUIRE(!expected.empty());
      CHECK(ring.read() == expected.front());
      expected.pop_front();
      static_cast<void>(ring.reader.release());
    }
    expected.push_back(text);
  }
}

TEST_CASE("a full ring says so, and the reader is told who waits") {
  pair ring{1024};
  while (ring.write("twenty bytes of text")) {
  }
  ring.writer.ask_for_room();
  CHECK(ring.writer.waits_for_room());
  static_cast<void>(ring.read());
  CHECK(ring.reader.release());
  CHECK(!ring.writer.waits_for_room());
  static_cast<void>(ring.read());
  CHECK(!ring.reader.release());
}

TEST_CASE("counters and lengths that cannot be are refused") {
  pair ring;
  ring_frame found;
  REQUIRE(ring.write("something"));
  SUBCASE("a tail further than the ring is large") {
    ring.head().tail = 4096 + 8;
    CHECK(ring.reader.next(found) == ring_state::broken);
  }
  SUBCASE("a tail behind the head") {
    CHECK(ring.read() == "something");
    ring.head().tail = 0;
    CHECK(ring.reader.next(found) == ring_state::broken);
  }
  SUBCASE("a tail between two words") {
    ring.head().tail = 13;
    CHECK(ring.reader.next(found) == ring_state::broken);
  }
  SUBCASE("a frame longer than what was published") {
    const std::uint32_t length = 4000;
    std::memcpy(ring.head().data(), &length, sizeof length);
    CHECK(ring.reader.next(found) == ring_state::broken);
  }
  SUBCASE("a frame of four gigabytes") {
    const std::uint32_t length = 0xFFFF'FFFF;
    std::memcpy(ring.head().data(), &length, sizeof length);
    CHECK(ring.reader.next(found) == ring_state::broken);
  }
  SUBCASE("a capacity that is not the object's") {
    ring.head().capacity = 1 << 20;
    CHECK(!is_ring_to_self(ring.object));
  }
  SUBCASE("another reader") {
    ring.head().reader = 12345;
    CHECK(!is_ring_to_self(ring.object));
  }
}

TEST_CASE("a head that lies only harms its reader") {
  pair ring{1024};
  ring.head().head = 1'000'000;
  int written = 0;
  while (written < 1000 && ring.write("twenty bytes of text"))
    ++written;
  CHECK(written < 1000);
}
