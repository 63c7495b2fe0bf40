// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/calls/exception_cause.hpp>
#include <troupe/codec/codec.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// What a machine and its lead say to each other once it has joined. They are
/// the same build, so these are sent as messages between processes are.
namespace troupe::machines {

/// The first byte of each message of a connection.
enum class message_kind : std::uint8_t {
  /// The machine's first: an `introduction`. The lead's: a `verdict`.
  introduction = 1,
  verdict = 2,
  // To the machine:
  start = 3,
  signal = 4,
  printed = 5,
  leave = 6,
  // From it:
  ended = 7,
  output = 8,
  leaving = 9,
  left = 10,
  // In both directions: of actors, see gateway.hpp.
  actors = 11,
};

/// A function to be called in a process of its own.
struct start_order {
  /// Names it on this connection.
  std::uint64_t number = 0;
  /// Where the function is, as in `os::code_location`, and in which library.
  std::uint64_t module = 0;
  std::uint64_t offset = 0;
  std::string library;
  /// Of the process; empty: as it is called by itself.
  std::string name;
  /// A `start_method`, plus one; 0: the usual one.
  std::uint32_t method = 0;
  bytes arguments;
};

struct signal_order {
  std::uint64_t number = 0;
  /// As long as the other: bytes between them would be sent, too.
  std::int64_t signal = 0;
};

/// So much of what a machine has sent is written.
struct printed_note {
  std::uint64_t bytes = 0;
};

/// What became of a `start_order`.
struct ended_note {
  enum class how : std::uint8_t {
    /// It has returned `result`.
    returned,
    /// Its process ended otherwise: `ending`, `code` and the texts say how.
    died,
    /// There was none: `code` is an `errc`, `text` says why.
    refused,
  };

  std::uint64_t number = 0;
  how became = how::refused;
  std::int32_t pid = 0;
  std::string process;
  bytes result;
  /// A `memory::ending`.
  std::uint32_t ending = 0;
  std::int32_t code = 0;
  std::string type;
  std::string text;
  std::vector<std::pair<std::string, std::string>> causes;
  std::string last_lines;
};

/// Whole lines that processes of a machine have written.
struct output_note {
  /// 1 or 2.
  std::uint8_t stream = 1;
  std::string lines;
};

/// Puts the kind before what is said.
template <class Content>
[[nodiscard]] bytes message(message_kind kind, const Content& content) {
  const auto packed = codec::encode(content);
  const auto body = packed.body();
  bytes made;
  made.reserve(body.size() + 1);
  made.push_back(static_cast<std::byte>(kind));
  made.insert(made.end(), body.begin(), body.end());
  return made;
}

/// The same for what is written already, or nothing.
[[nodiscard]] bytes raw_message(message_kind kind, bytes_view content = {});

/// The kind of a message. Throws `malformed_bytes` if it has none.
[[nodiscard]] message_kind kind_of(bytes_view message);

/// What is behind the kind. Throws `malformed_bytes`.
template <class Content>
[[nodiscard]] Content content_of(bytes_view message) {
  return codec::decode<Content>(message.subspan(1));
}

} // namespace troupe::machines
