// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/frame.hpp>

#include <troupe/base/error.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace troupe::network {

namespace {

/// The first bytes that a client says.
constexpr std::string_view magic{"troupe\r\n"};

template <class Number>
void put(std::byte* to, Number number) noexcept {
  for (std::size_t i = 0; i < sizeof number; ++i)
    to[i] = static_cast<std::byte>(number >> (8 * i));
}

template <class Number>
Number get(const std::byte* from) noexcept {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i)
    number |= static_cast<Number>(static_cast<Number>(from[i]) << (8 * i));
  return number;
}

[[noreturn]] void refuse(const std::string& why) {
  throw malformed_bytes("read a frame", why);
}

struct size_range {
  std::size_t least;
  std::size_t most;
};

/// None for a kind that does not exist: the least is above the most.
constexpr size_range sizes_of(frame_kind kind) noexcept {
  switch (kind) {
    case frame_kind::hello: return {hello_content::size, hello_content::size};
    case frame_kind::welcome:
      return {welcome_content::size, welcome_content::size};
    case frame_kind::refusal:
      return {refusal_content::size, refusal_content::size};
    case frame_kind::alive: return {alive_content::size, alive_content::size};
    case frame_kind::credit:
    case frame_kind::begin: return {8, 8};
    case frame_kind::goodbye:
    case frame_kind::too_long: return {0, 0};
    case frame_kind::message: return {0, longest_small};
    case frame_kind::piece: return {1, longest_piece};
  }
  return {1, 0};
}

} // namespace

frame_header_bytes to_bytes(const frame_header& from) noexcept {
  frame_header_bytes made{};
  put(made.data(), from.number);
  made[4] = static_cast<std::byte>(from.kind);
  put(made.data() + 8, from.size);
  put(made.data() + 16, from.tag);
  return made;
}

frame_header
read_frame_header(std::span<const std::byte, frame_header_size> from,
                  std::uint32_t expected_number) {
  frame_header made;
  made.number = get<std::uint32_t>(from.data());
  if (made.number != expected_number)
    refuse("it has number " + std::to_string(made.number) + " where "
           + std::to_string(expected_number) + " is next");
  made.kind = static_cast<frame_kind>(from[4]);
  made.size = get<std::uint32_t>(from.data() + 8);
  made.tag = get<std::uint64_t>(from.data() + 16);
  const auto zero = [](std::byte each) { return each == std::byte{0}; };
  if (!std::all_of(from.begin() + 5, from.begin() + 8, zero)
      || !std::all_of(from.begin() + 12, from.begin() + 16, zero))
    refuse("a byte that must be zero is not");
  const auto [least, most] = sizes_of(made.kind);
  if (least > most)
    refuse("there is no kind " + std::to_string(std::to_integer<int>(from[4])));
  if (made.size < least || made.size > most)
    refuse("it has announced a frame of " + std::to_string(made.size)
           + " bytes");
  return made;
}

void number_frame(std::byte* header, std::uint32_t number) noexcept {
  put(header, number);
}

std::uint32_t size_of_frame(const std::byte* header) noexcept {
  return get<std::uint32_t>(header + 8);
}

std::array<std::byte, hello_content::size>
to_bytes(const hello_content& from) noexcept {
  std::array<std::byte, hello_content::size> made{};
  std::transform(magic.begin(), magic.end(), made.begin(),
                 [](char each) { return static_cast<std::byte>(each); });
  put(made.data() + 8, from.version);
  put(made.data() + 12, from.service);
  put(made.data() + 16, from.silence);
  return made;
}

std::array<std::byte, welcome_content::size>
to_bytes(const welcome_content& from) noexcept {
  std::array<std::byte, welcome_content::size> made{};
  put(made.data(), from.version);
  put(made.data() + 8, from.silence);
  return made;
}

std::array<std::byte, refusal_content::size>
to_bytes(const refusal_content& from) noexcept {
  std::array<std::byte, refusal_content::size> made{};
  put(made.data(), static_cast<std::uint32_t>(from.reason));
  put(made.data() + 4, from.version);
  return made;
}

std::array<std::byte, alive_content::size>
to_bytes(const alive_content& from) noexcept {
  std::array<std::byte, alive_content::size> made{};
  put(made.data(), from.number);
  put(made.data() + 8, from.heard);
  return made;
}

std::array<std::byte, 8> to_bytes(std::uint64_t number) noexcept {
  std::array<std::byte, 8> made{};
  put(made.data(), number);
  return made;
}

hello_content read_hello(bytes_view from) {
  if (!std::equal(magic.begin(), magic.end(), from.begin(),
                  [](char ours, std::byte theirs) {
                    return static_cast<std::byte>(ours) == theirs;
                  }))
    refuse("it does not begin as one of ours");
  return {get<std::uint32_t>(from.data() + 8),
          get<std::uint32_t>(from.data() + 12),
          get<std::uint64_t>(from.data() + 16)};
}

welcome_content read_welcome(bytes_view from) {
  return {get<std::uint32_t>(from.data()), get<std::uint64_t>(from.data() + 8)};
}

refusal_content read_refusal(bytes_view from) {
  const auto reason = get<std::uint32_t>(from.data());
  if (reason != static_cast<std::uint32_t>(refusal_reason::full)
      && reason != static_cast<std::uint32_t>(refusal_reason::other_protocol))
    refuse("there is no refusal " + std::to_string(reason));
  return {static_cast<refusal_reason>(reason),
          get<std::uint32_t>(from.data() + 4)};
}

alive_content read_alive(bytes_view from) {
  return {get<std::uint64_t>(from.data()), get<std::uint64_t>(from.data() + 8)};
}

std::uint64_t read_number(bytes_view from) {
  return get<std::uint64_t>(from.data());
}

} // namespace troupe::network
