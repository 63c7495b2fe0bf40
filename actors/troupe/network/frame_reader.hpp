// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/frame.hpp>
#include <troupe/network/payload.hpp>

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace troupe::network {

/// Makes frames and messages out of bytes, however these are cut. A header is
/// checked before memory is taken for what it announces; pages of a message are
/// taken as its pieces come.
class frame_reader {
public:
  class handler {
  public:
    /// A frame that is no part of a message. Its content lives during the call.
    virtual void control(const frame_header& head, bytes_view content) = 0;
    /// A message of one frame. The same.
    virtual void small(std::uint64_t tag, bytes_view content) = 0;
    /// The first frame of a longer one: nothing has been taken for it yet.
    virtual void begins(std::uint64_t tag, std::size_t size) = 0;
    /// The last piece of a longer one has come.
    virtual void whole(std::uint64_t tag, payload content) = 0;

  protected:
    ~handler() = default;
  };

  explicit frame_reader(handler& to) noexcept : to_(to) {
  }

  /// Takes the next bytes. Throws `malformed_bytes`, after which it must not be
  /// used, and what the handler throws.
  void read(bytes_view next);

  /// Where the next bytes belong, as far as they are part of a piece; empty if
  /// they are not. Whoever has written some there says so.
  [[nodiscard]] bytes_span place_in_piece() noexcept;
  void written(std::size_t size);

  /// Bytes of message frames that have come, headers included.
  [[nodiscard]] std::uint64_t credited() const noexcept {
    return credited_;
  }

  /// What has come of messages that are not whole yet, but for the longest.
  [[nodiscard]] std::size_t partial() const noexcept;

private:
  struct begun {
    payload content;
    std::size_t filled = 0;
  };

  /// Takes the content of a frame, which is whole.
  void take(bytes_view content);
  void begin(bytes_view content);
  /// The frame whose header was read has ended.
  void next_frame() noexcept;
  void read_header(bytes_view& next);

  handler& to_;
  std::uint32_t number_ = 0;
  std::uint64_t credited_ = 0;
  frame_header head_;
  bool in_frame_ = false;
  /// Bytes of the frame's content that are still to come.
  std::size_t left_ = 0;
  /// What has come of a header, or of a content that is handed over whole.
  bytes partial_;
  begun* piece_of_ = nullptr;
  std::unordered_map<std::uint64_t, begun> begun_;
  std::size_t begun_bytes_ = 0;
};

} // namespace troupe::network
