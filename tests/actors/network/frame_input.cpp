// SPDX-License-Identifier: BSL-1.0
#include "frame_input.hpp"

#include <troupe/base/error.hpp>
#include <troupe/network/frame_reader.hpp>

#include <cstdlib>
#include <map>

#include "key_holder.hpp"

namespace network = troupe::network;
using troupe::bytes_view;
using troupe::test::forged_bytes;
using troupe::test::forged_frame;

namespace {

void require(bool so) {
  if (!so)
    std::abort();
}

/// Reads contents as a carrier does, and holds messages to what was announced.
struct checking final : network::frame_reader::handler {
  void control(const network::frame_header& head, bytes_view content) override {
    require(content.size() == head.size);
    switch (head.kind) {
      case network::frame_kind::hello:
        static_cast<void>(network::read_hello(content));
        break;
      case network::frame_kind::welcome:
        static_cast<void>(network::read_welcome(content));
        break;
      case network::frame_kind::refusal:
        static_cast<void>(network::read_refusal(content));
        break;
      case network::frame_kind::alive:
        static_cast<void>(network::read_alive(content));
        break;
      case network::frame_kind::credit:
        static_cast<void>(network::read_number(content));
        break;
      default: require(content.empty());
    }
  }

  void small(std::uint64_t, bytes_view content) override {
    require(content.size() <= network::longest_small);
  }

  void begins(std::uint64_t tag, std::size_t size) override {
    require(size > network::longest_small && size <= network::longest_content);
    announced[tag] = size;
  }

  void whole(std::uint64_t tag, network::payload content) override {
    require(announced.contains(tag) && announced[tag] == content.size());
    announced.erase(tag);
  }

  std::map<std::uint64_t, std::size_t> announced;
};

std::vector<std::uint8_t> input_of(const std::vector<forged_frame>& frames) {
  const auto made = forged_bytes(frames);
  std::vector<std::uint8_t> result;
  for (const auto each : made)
    result.push_back(std::to_integer<std::uint8_t>(each));
  return result;
}

} // namespace

namespace fuzz {

bool feed_network(std::span<const std::uint8_t> input) {
  checking to;
  network::frame_reader by{to};
  const auto all = std::as_bytes(input);
  const auto first = input.empty() ? 0 : input[0] % (input.size() + 1);
  try {
    by.read(all.first(first));
    // As the carrier does: pieces are written where they belong.
    auto next = all.subspan(first);
    if (const auto place = by.place_in_piece(); !place.empty()) {
      const auto size = std::min(place.size(), next.size());
      std::copy(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(size),
                place.begin());
      if (size > 0)
        by.written(size);
      next = next.subspan(size);
    }
    by.read(next);
  } catch (const troupe::malformed_bytes&) {
    return false;
  }
  return true;
}

std::vector<std::vector<std::uint8_t>> right_network_input() {
  using enum network::frame_kind;
  const troupe::bytes some(40, std::byte{7});
  const troupe::bytes most(network::longest_piece, std::byte{8});
  const troupe::bytes rest(10, std::byte{9});
  return {
    input_of({{hello, 0, network::to_bytes(network::hello_content{})},
              {message, 1, some},
              {alive, 0, network::to_bytes(network::alive_content{1, 0})},
              {credit, 0, network::to_bytes(std::uint64_t{1} << 27)},
              {goodbye, 0}}),
    input_of({{welcome, 0, network::to_bytes(network::welcome_content{})},
              {begin, 5,
               network::to_bytes(std::uint64_t{network::longest_piece} + 10)},
              {piece, 5, most},
              {message, 6},
              {piece, 5, rest},
              {too_long, 7}}),
    input_of({{refusal, 0, network::to_bytes(network::refusal_content{})}}),
  };
}

} // namespace fuzz
