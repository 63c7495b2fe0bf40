// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/network/payload.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace troupe::network {

/// Why a connection is lost.
struct loss {
  enum class cause : std::uint8_t {
    /// `close` was called.
    closed_here,
    /// The other end has said that it closes it.
    closed_there,
    /// It ended without a word: the other process, or the way there.
    gone,
    /// Nothing came for `limits::silence`.
    silent,
    /// The other end, or this one for it, has another key.
    wrong_key,
    /// It speaks something else than TLS.
    not_tls,
    /// It has the key, and does not keep to the protocol.
    malformed,
    /// It has as many clients as it takes.
    full,
    /// It speaks another version of the protocol, or offers something else.
    other_protocol,
    /// It took longer than it may to show the key.
    late,
    /// It had to make room for others that had not shown the key either.
    crowded_out,
  };

  cause why = cause::gone;
  std::string text;
};

/// A message that has come, while it is being taken.
class arrival {
public:
  /// What the sender has named it.
  [[nodiscard]] std::uint64_t tag() const noexcept {
    return tag_;
  }

  [[nodiscard]] bytes_view content() const noexcept {
    return content_;
  }

  /// Its bytes, to keep. Once.
  [[nodiscard]] virtual payload take() = 0;

protected:
  arrival(std::uint64_t tag, bytes_view content) noexcept
    : tag_(tag), content_(content) {
  }
  ~arrival() = default;

private:
  std::uint64_t tag_;
  bytes_view content_;
};

/// A message to send.
struct departure {
  /// Names it for the receiver; no other on its way to it has the same.
  std::uint64_t tag = 0;

  /// Messages of one stream arrive in their order. Those of different streams
  /// overtake each other, so that none waits for a large one.
  std::uint64_t stream = 0;

  bytes_view content;

  /// The content stays where it is until `carrier::borrows` says no; else it is
  /// copied. Only what is larger than `longest_small` may be borrowed.
  bool borrowed = false;

  /// Arrives behind all that was given to `send` before it, whatever its
  /// stream.
  bool behind_all = false;
};

/// Moves messages between two processes, in both directions, in pieces.
///
/// # What every carrier promises
/// Each message arrives once and whole, or the connection is lost. `lost` is
/// called once, and nothing after it. A receiver that keeps what came is sent
/// no more than `most_unanswered`, besides one message that is longer; the
/// sender keeps the rest. `tests/actors/network/carrier.test.cpp` holds each
/// carrier to that.
class carrier {
public:
  /// Who takes what comes. It is called by one thread at a time.
  class receiver {
  public:
    virtual ~receiver() = default;

    /// Both ends have shown the key and speak the same protocol. Once, first.
    virtual void opened() = 0;

    virtual void received(arrival& what) = 0;

    /// The other end cannot send the message `tag`, which is longer than any.
    virtual void refused(std::uint64_t tag) = 0;

    /// The last word.
    virtual void lost(const loss& why) noexcept = 0;
  };

  virtual ~carrier() = default;

  /// Sends a message; nothing where the connection is lost. Waits for nobody.
  /// Thread-safe. What is sent in one turn of the loop leaves in one piece.
  virtual void send(const departure& what) = 0;

  /// Tells the other end that message `tag` is too long to be sent.
  virtual void refuse(std::uint64_t tag) = 0;

  /// Whether the carrier still reads from there. Thread-safe.
  [[nodiscard]] virtual bool borrows(const std::byte* from) const = 0;

  /// Bytes of messages that were given to `send` and have not left.
  /// Thread-safe.
  [[nodiscard]] virtual std::size_t waiting() const = 0;

  /// Ends the connection, with a word to the other end if that can be said at
  /// once. Thread-safe; `lost` is called by the thread that takes what comes.
  virtual void close() noexcept = 0;
};

} // namespace troupe::network
