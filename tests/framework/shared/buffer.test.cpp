// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/buffer.hpp>

#include <troupe/base/error.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>

#include <support/living_bytes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <utility>

using troupe::buffer;

TEST_CASE("a buffer goes to a child and back, and its bytes stay in place") {
  buffer bytes{std::size_t{1} << 20};
  bytes.data()[5] = std::byte{1};
  auto answer = troupe::async(
    [](buffer of) {
      of.data()[6] = of.data()[5];
      of.shrink(100);
      return of;
    },
    std::move(bytes));
  const auto back = answer.get();
  CHECK(back.size() == 100);
  CHECK(back.data()[6] == std::byte{1});
  CHECK(std::ranges::count(back.bytes(), std::byte{1}) == 2);
}

TEST_CASE("an empty buffer takes no memory, and can be sent") {
  const auto before = troupe::test::living_bytes();
  const buffer nothing;
  const buffer also_nothing{std::size_t{0}};
  CHECK(troupe::test::living_bytes() == before);
  CHECK(nothing.bytes().empty());
  CHECK(troupe::async([](buffer of) { return of.size(); }, nothing).get() == 0);
}

TEST_CASE("a buffer made from bytes has a copy of them") {
  std::array<std::byte, 3> source{std::byte{1}, std::byte{2}, std::byte{3}};
  const buffer copy{source};
  source[0] = std::byte{9};
  CHECK(copy.size() == 3);
  CHECK(copy.data()[0] == std::byte{1});
}

TEST_CASE("a buffer does not grow") {
  buffer bytes{std::size_t{10}};
  CHECK_THROWS_AS(bytes.shrink(11), troupe::invalid_argument);
  bytes.shrink(0);
  CHECK(bytes.empty());
}

TEST_CASE("a copied buffer is sent as its bytes: the receiver has one of its "
          "own") {
  buffer bytes{std::size_t{1} << 20};
  std::ranges::fill(bytes.bytes(), std::byte{7});
  auto answer = troupe::async(
    [](const troupe::copied_buffer& of) {
      const auto same = std::ranges::count(of.bytes(), std::byte{7});
      std::ranges::fill(of.bytes(), std::byte{8});
      return std::pair{same, of};
    },
    bytes.copied());
  const auto [same, back] = answer.get();
  CHECK(same == 1 << 20);
  CHECK(back.size() == bytes.size());
  CHECK(std::ranges::count(back.bytes(), std::byte{8}) == 1 << 20);
  CHECK(std::ranges::count(bytes.bytes(), std::byte{7}) == 1 << 20);
  CHECK(troupe::async([](const troupe::copied_buffer& of) { return of.size(); },
                      buffer{}.copied())
          .get()
        == 0);
}

TEST_CASE("bytes that announce a longer buffer than they are do not decode") {
  const buffer of{std::size_t{40}};
  auto packed = troupe::codec::encode(of.copied());
  const auto body = packed.body();
  CHECK_THROWS_AS(static_cast<void>(
                    troupe::codec::decode<troupe::copied_buffer>(
                      body.first(body.size() - 1))),
                  troupe::malformed_bytes);
}
