// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/network/limits.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// What crosses inside TLS: frames, each a header of 24 bytes and its content.
/// Numbers are little-endian.
///
///     0   number of the frame in its direction, from 0       4 bytes
///     4   kind                                                1
///     5   zero                                                3
///     8   size of the content                                 4
///     12  zero                                                4
///     16  tag of the message                                  8
namespace troupe::network {

/// Raised whenever two programs could no longer understand each other.
inline constexpr std::uint32_t protocol_version = 1;

enum class frame_kind : std::uint8_t {
  /// The client's first: magic (8), version (4), service (4), silence in
  /// milliseconds (8).
  hello = 1,
  /// The server's first: version (4), zero (4), silence (8).
  welcome = 2,
  /// The server's first and last: a `refusal_reason` (4), its version (4).
  refusal = 3,
  /// A sign of life: its number (8), the number of the last that came (8).
  alive = 4,
  /// How many bytes of message frames may have been sent since the beginning
  /// (8).
  credit = 5,
  /// The sender closes the connection.
  goodbye = 6,
  /// A whole message of at most `longest_small`.
  message = 7,
  /// The first of a longer one: its size (8).
  begin = 8,
  /// Its next bytes, at most `longest_piece`. The last ends the message.
  piece = 9,
  /// The message is longer than `longest_content`, and is not sent.
  too_long = 10,
};

enum class refusal_reason : std::uint32_t { full = 1, other_protocol = 2 };

inline constexpr std::size_t frame_header_size = 24;

/// Longer messages are cut into pieces, which take turns.
inline constexpr std::size_t longest_small = 64U << 10;

/// With its header eight whole records of TLS.
inline constexpr std::size_t longest_piece = (128U << 10) - frame_header_size;

/// Bytes of messages that may wait at a receiver, besides one that is longer.
inline constexpr std::size_t most_unanswered = 64U << 20;

/// How many bytes of message frames may be sent ahead of what the receiver has
/// done with: those, and the headers.
inline constexpr std::size_t credit_window = most_unanswered + (1U << 20);

/// Messages of which pieces are on their way, at most. All but the longest of
/// them have `most_unanswered` bytes together at most.
inline constexpr std::size_t most_begun = 256;

struct frame_header {
  std::uint32_t number = 0;
  frame_kind kind = frame_kind::alive;
  std::uint32_t size = 0;
  std::uint64_t tag = 0;
};

using frame_header_bytes = std::array<std::byte, frame_header_size>;

[[nodiscard]] frame_header_bytes to_bytes(const frame_header& from) noexcept;

/// Reads and checks a header: its number is the one expected, it is of a known
/// kind, and its content has a size that this kind may have. Throws
/// `malformed_bytes`.
[[nodiscard]] frame_header
read_frame_header(std::span<const std::byte, frame_header_size> from,
                  std::uint32_t expected_number);

/// Changes the number in a header that stands there.
void number_frame(std::byte* header, std::uint32_t number) noexcept;

/// The size in a header that stands there, of one's own making.
[[nodiscard]] std::uint32_t size_of_frame(const std::byte* header) noexcept;

/// Whether frames of this kind are parts of messages, and need credit.
[[nodiscard]] constexpr bool needs_credit(frame_kind kind) noexcept {
  return kind == frame_kind::message || kind == frame_kind::begin
         || kind == frame_kind::piece;
}

/// The contents of control frames.
struct hello_content {
  static constexpr std::size_t size = 24;
  std::uint32_t version = protocol_version;
  std::uint32_t service = 0;
  std::uint64_t silence = 0;
};

struct welcome_content {
  static constexpr std::size_t size = 16;
  std::uint32_t version = protocol_version;
  std::uint64_t silence = 0;
};

struct refusal_content {
  static constexpr std::size_t size = 8;
  refusal_reason reason = refusal_reason::full;
  std::uint32_t version = protocol_version;
};

struct alive_content {
  static constexpr std::size_t size = 16;
  std::uint64_t number = 0;
  std::uint64_t heard = 0;
};

[[nodiscard]] std::array<std::byte, hello_content::size>
to_bytes(const hello_content& from) noexcept;
[[nodiscard]] std::array<std::byte, welcome_content::size>
to_bytes(const welcome_content& from) noexcept;
[[nodiscard]] std::array<std::byte, refusal_content::size>
to_bytes(const refusal_content& from) noexcept;
[[nodiscard]] std::array<std::byte, alive_content::size>
to_bytes(const alive_content& from) noexcept;
[[nodiscard]] std::array<std::byte, 8> to_bytes(std::uint64_t number) noexcept;

/// They throw `malformed_bytes`. The sizes have been checked with the header.
[[nodiscard]] hello_content read_hello(bytes_view from);
[[nodiscard]] welcome_content read_welcome(bytes_view from);
[[nodiscard]] refusal_content read_refusal(bytes_view from);
[[nodiscard]] alive_content read_alive(bytes_view from);
[[nodiscard]] std::uint64_t read_number(bytes_view from);

} // namespace troupe::network
