// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/memory/run_memory.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace codec = troupe::codec;
namespace memory = troupe::memory;

namespace {

constexpr auto kind = memory::object_kind{
  static_cast<std::uint32_t>(memory::object_kind::user) + 77};

/// As small as a handle can be.
class token {
public:
  explicit token(memory::reference object) : object_(std::move(object)) {
  }

  [[nodiscard]] static token create() {
    return token{memory::reference::create(kind, 64)};
  }

  void save(codec::encoder& to) const {
    to.handle(object_);
  }

  static token load(codec::decoder& from) {
    return token{from.handle(kind)};
  }

  [[nodiscard]] memory::object_id id() const {
    return object_.id();
  }

private:
  memory::reference object_;
};

struct job {
  std::string name;
  std::vector<token> tokens;
  std::map<int, token> more;
};

void need_run() {
  if (!memory::run_memory::exists()) {
    troupe::limits wanted;
    wanted.address_space = 1ULL << 32;
    wanted.processes = 64;
    wanted.handles = 1024;
    memory::run_memory::create(wanted);
  }
}

bool lives(memory::object_id where) {
  return memory::run_memory::current().find_object(where, kind) != nullptr;
}

} // namespace

TEST_CASE("handles travel inside anything") {
  need_run();
  const auto a = token::create();
  const auto b = token::create();
  auto message = codec::encode(job{"job", {a, b}, {{1, a}}});
  CHECK(message.handles().size() == 3);
  const auto copy = codec::decode<job>(std::move(message));
  REQUIRE(copy.tokens.size() == 2);
  CHECK(copy.tokens[0].id() == a.id());
  CHECK(copy.tokens[1].id() == b.id());
  CHECK(copy.more.at(1).id() == a.id());
}

TEST_CASE("a message keeps its objects alive") {
  need_run();
  codec::packet message;
  memory::object_id where = 0;
  {
    const auto gone = token::create();
    where = gone.id();
    codec::encode_into(message, gone);
  }
  CHECK(lives(where));
  SUBCASE("until it is decoded and what came out is dropped") {
    {
      const auto taken = codec::decode<token>(std::move(message));
      CHECK(taken.id() == where);
      CHECK(lives(where));
    }
    CHECK_FALSE(lives(where));
  }
  SUBCASE("until it is destroyed unsent") {
    {
      const auto dropped = std::move(message);
    }
    CHECK_FALSE(lives(where));
  }
  SUBCASE("until it is cleared") {
    message.clear();
    CHECK_FALSE(lives(where));
  }
  SUBCASE("until its handles are released") {
    message.release_handles();
    CHECK(message.handles().empty());
    CHECK_FALSE(lives(where));
  }
  SUBCASE("also where it fails to decode") {
    CHECK_THROWS_AS(static_cast<void>(codec::decode<std::string>(
                      message.body(), message.handles())),
                    troupe::malformed_bytes);
    CHECK(lives(where));
  }
}

TEST_CASE("an empty handle arrives empty") {
  need_run();
  auto message = codec::encode(token{memory::reference{}});
  CHECK(message.handles().empty());
  CHECK(codec::decode<token>(std::move(message)).id() == 0);
}

TEST_CASE("a handle that the message does not carry is refused") {
  need_run();
  const auto object = token::create();
  for (const std::uint32_t index : {1U, 2U, 0x7FFF'FFFFU}) {
    const std::vector<memory::object_id> handles{object.id()};
    const auto message = codec::encode(index);
    CHECK_THROWS_AS(static_cast<void>(
                      codec::decode<token>(message.body(), handles)),
                    troupe::malformed_bytes);
  }
}

TEST_CASE("a handle is taken once") {
  need_run();
  const auto object = token::create();
  const std::vector<memory::object_id> handles{object.id()};
  const auto message = codec::encode_all(0U, 0U);
  CHECK_THROWS_AS((static_cast<void>(
                    codec::decode_all<token, token>(message.body(), handles))),
                  troupe::malformed_bytes);
}

TEST_CASE("a handle of another kind is refused") {
  need_run();
  const auto other = memory::reference::create(memory::object_kind::user, 64);
  codec::packet message;
  codec::encoder{message}.handle(other);
  CHECK_THROWS_AS(static_cast<void>(codec::decode<token>(std::move(message))),
                  troupe::stale_handle);
}
