// SPDX-License-Identifier: BSL-1.0

// Frames that are right, cut in every way, shortened, and with bytes changed:
// whatever comes, a reader gives messages that were announced, or says no.

#include "frame_input.hpp"

#include <troupe/base/error.hpp>
#include <troupe/network/frame_reader.hpp>
#include <troupe/network/send_queue.hpp>

#include <doctest/doctest.h>
#include <support/seed.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "key_holder.hpp"

using namespace troupe::network;
using troupe::bytes;
using troupe::bytes_view;
using troupe::malformed_bytes;
using troupe::test::forged_bytes;
using troupe::test::forged_frame;

namespace {

/// Notes what was read.
struct reading final : frame_reader::handler {
  void control(const frame_header& head, bytes_view) override {
    controls.push_back(head.kind);
  }
  void small(std::uint64_t tag, bytes_view content) override {
    messages[tag].assign(content.begin(), content.end());
  }
  void begins(std::uint64_t, std::size_t) override {
    ++begun;
  }
  void whole(std::uint64_t tag, payload content) override {
    messages[tag].assign(content.view().begin(), content.view().end());
  }

  std::vector<frame_kind> controls;
  std::map<std::uint64_t, bytes> messages;
  int begun = 0;
};

bytes filled(std::size_t size) {
  bytes made(size);
  for (std::size_t i = 0; i < size; ++i)
    made[i] = static_cast<std::byte>(i % 253);
  return made;
}

/// What a queue would send.
bytes all_of(send_queue& from) {
  bytes made;
  bytes frames;
  bytes_view piece;
  while (from.next(frames, piece)) {
    made.insert(made.end(), frames.begin(), frames.end());
    made.insert(made.end(), piece.begin(), piece.end());
    from.written();
  }
  return made;
}

bytes right_bytes() {
  send_queue from;
  from.control(frame_kind::alive, 0, to_bytes(alive_content{1, 0}));
  from.message({1, 1, filled(0), false, false});
  from.message({2, 2, filled(longest_small), false, false});
  from.message({3, 3, filled(longest_small + 1), false, false});
  from.message({4, 4, filled(2 * longest_piece + 5), false, false});
  from.message({5, 4, filled(17), false, false});
  return all_of(from);
}

void refuses(const std::vector<forged_frame>& frames) {
  reading to;
  frame_reader by{to};
  CHECK_THROWS_AS(by.read(forged_bytes(frames)), malformed_bytes);
}

bytes number_of(std::uint64_t number) {
  const auto made = to_bytes(number);
  return bytes(made.begin(), made.end());
}

} // namespace

TEST_CASE("frames are read as they were written, wherever they are cut") {
  const auto all = right_bytes();
  std::mt19937 random{troupe::test::seed()};
  for (const std::size_t step : {1UL, 7UL, 23UL, 24UL, 25UL, 4096UL, 0UL}) {
    CAPTURE(step);
    reading to;
    frame_reader by{to};
    for (std::size_t at = 0; at < all.size();) {
      const auto wanted = step == 0 ? 1 + random() % 100'000 : step;
      const auto size = std::min<std::size_t>(wanted, all.size() - at);
      by.read(bytes_view{all}.subspan(at, size));
      at += size;
    }
    CHECK(to.controls.size() == 1);
    REQUIRE(to.messages.size() == 5);
    CHECK(to.messages[1].empty());
    CHECK((to.messages[2] == filled(longest_small)));
    CHECK((to.messages[3] == filled(longest_small + 1)));
    CHECK((to.messages[4] == filled(2 * longest_piece + 5)));
    CHECK((to.messages[5] == filled(17)));
    CHECK(to.begun == 2);
  }
}

TEST_CASE("a piece may be written where it belongs") {
  const auto all = right_bytes();
  reading to;
  frame_reader by{to};
  for (std::size_t at = 0; at < all.size();) {
    const auto place = by.place_in_piece();
    const auto size = std::min<std::size_t>(place.empty() ? 24 : place.size(),
                                            all.size() - at);
    const auto next = bytes_view{all}.subspan(at, size);
    if (place.empty()) {
      by.read(next);
    } else {
      std::copy(next.begin(), next.end(), place.begin());
      by.written(size);
    }
    at += size;
  }
  CHECK((to.messages[4] == filled(2 * longest_piece + 5)));
  CHECK(to.messages.size() == 5);
}

TEST_CASE("each header that cannot be is refused") {
  using enum frame_kind;
  refuses({{static_cast<frame_kind>(0), 0}});
  refuses({{static_cast<frame_kind>(11), 0}});
  refuses({{static_cast<frame_kind>(255), 0}});
  refuses({{goodbye, 0, filled(1)}});
  refuses({{alive, 0, filled(15)}});
  refuses({{hello, 0, filled(25)}});
  refuses({{message, 1, filled(longest_small + 1)}});
  refuses({{piece, 1, filled(10)}});
  refuses({{piece, 1, {}}});
  // A number that is not the next one.
  {
    reading to;
    frame_reader by{to};
    CHECK_THROWS_AS(by.read(forged_bytes({{goodbye, 0}}, 1)), malformed_bytes);
  }
  // Bytes that must be zero.
  for (const std::size_t at : {5UL, 6UL, 7UL, 12UL, 15UL}) {
    auto forged = forged_bytes({{goodbye, 0}});
    forged[at] = std::byte{1};
    reading to;
    frame_reader by{to};
    CHECK_THROWS_AS(by.read(forged), malformed_bytes);
  }
}

TEST_CASE("messages that are not begun as they may be are refused") {
  using enum frame_kind;
  refuses({{begin, 1, number_of(0)}});
  refuses({{begin, 1, number_of(longest_small)}});
  refuses({{begin, 1, number_of(longest_content + 1)}});
  refuses({{begin, 1, number_of(~std::uint64_t{0})}});
  refuses({{begin, 1, number_of(100'000)}, {begin, 1, number_of(100'000)}});
  refuses({{begin, 1, number_of(longest_content)},
           {begin, 2, number_of(longest_content)}});
  refuses({{begin, 1, number_of(100'000)}, {piece, 1, filled(longest_piece)}});
  std::vector<forged_frame> many;
  for (std::uint64_t i = 0; i <= most_begun; ++i)
    many.push_back({begin, i, number_of(100'000)});
  refuses(many);
}

TEST_CASE("what is announced takes no memory before it comes") {
  // 1 GiB each, 200 times, in a reader each: pages that nobody has written are
  // none.
  std::vector<std::unique_ptr<reading>> to;
  std::vector<std::unique_ptr<frame_reader>> by;
  for (int i = 0; i < 200; ++i) {
    to.push_back(std::make_unique<reading>());
    by.push_back(std::make_unique<frame_reader>(*to.back()));
    by.back()->read(
      forged_bytes({{frame_kind::begin, 1, number_of(longest_content)},
                    {frame_kind::piece, 1, filled(10)}}));
  }
  CHECK(by.back()->place_in_piece().empty());
}

TEST_CASE("right frames that are shortened or changed give messages or a "
          "refusal") {
  std::mt19937 random{troupe::test::seed()};
  for (const auto& right : fuzz::right_network_input()) {
    static_cast<void>(fuzz::feed_network(right));
    for (std::size_t size = 0; size < std::min<std::size_t>(right.size(), 300);
         ++size)
      static_cast<void>(fuzz::feed_network({right.data(), size}));
    for (int i = 0; i < 2000; ++i) {
      auto changed = right;
      for (auto changes = 1 + random() % 4; changes > 0; --changes)
        changed[random() % std::min<std::size_t>(changed.size(), 200)]
          = static_cast<std::uint8_t>(random());
      static_cast<void>(fuzz::feed_network(changed));
    }
  }
}

TEST_CASE("a queue sends nothing that it has no credit for") {
  send_queue from;
  for (std::uint64_t i = 0; i < 100; ++i)
    from.message({i, i, filled(1 << 20), false, false});
  const auto first = all_of(from);
  CHECK(first.size() <= credit_window);
  CHECK(first.size() > credit_window - 2 * longest_piece);
  from.set_credit(2 * credit_window);
  CHECK(first.size() + all_of(from).size() > most_unanswered * 3 / 2);
  CHECK_THROWS_AS(from.set_credit(1), malformed_bytes);
}

TEST_CASE("small messages do not keep pieces waiting for ever") {
  send_queue from;
  from.message({1, 1, filled(longest_small + 1), false, false});
  bytes frames;
  bytes_view piece;
  int turns = 0;
  do {
    for (std::uint64_t i = 0; i < 100; ++i)
      from.message({100 + i, 2, filled(60'000), false, false});
    REQUIRE(from.next(frames, piece));
    from.written();
    CHECK(frames.size() <= send_queue::small_in_a_row + 200);
    REQUIRE(++turns < 5);
  } while (piece.empty());
}
