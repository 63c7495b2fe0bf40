// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace codec = troupe::codec;

namespace {

/// Whom the bytes are for: somebody who knows the names by numbers.
class by_number final : public codec::context {};
class of_others final : public codec::context {};

/// Stands in bytes as its number, where the other end knows that.
struct known_name {
  std::string text;

  void save(codec::encoder& to) const {
    if (to.context_as<by_number>() != nullptr)
      to.save(text == "seven" ? 7 : 0);
    else
      to.save(text);
  }

  static known_name load(codec::decoder& from) {
    if (from.context_as<by_number>() != nullptr)
      return {from.load<int>() == 7 ? "seven" : "?"};
    return {from.load<std::string>()};
  }
};

struct letter {
  known_name sender;
};

std::size_t size_for(codec::context* whom, const letter& what) {
  codec::packet message;
  codec::encoder{message, codec::lends::no, whom}.save(what);
  codec::decoder from{message.body(), {}, "a letter", whom};
  CHECK(from.load<letter>().sender.text == what.sender.text);
  from.finish();
  return message.body().size();
}

} // namespace

TEST_CASE("a type can be written otherwise for one reader than for another") {
  by_number whom;
  CHECK(size_for(&whom, {{"seven"}}) == sizeof(int));
  CHECK(size_for(nullptr, {{"seven"}}) == sizeof(std::uint64_t) + 5);
}

TEST_CASE("a context of another layer says nothing") {
  of_others whom;
  CHECK(size_for(&whom, {{"seven"}}) == size_for(nullptr, {{"seven"}}));
}
