// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/mailbox/letter_box.hpp>
#include <troupe/memory/reference.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace troupe::channel {

/// What a connection is, whatever the type of its messages: a hold on one end
/// of a pipe, an object of kind `connection`.
///
/// A pipe is two mailboxes, one for each way, and two end objects; each end is
/// an owner of both mailboxes, and connections hold only ends. So the end object
/// goes with its last holder, however that one ends, and on the way out tells both
/// mailboxes that on this side nobody writes, and nobody reads, any more.
class pipe_end {
public:
  /// Bytes that may be unread before a send waits.
  static constexpr std::uint64_t window = 256 << 10;

  /// What a look from outside wants to know of the payload of an end: the ids of
  /// the mailboxes that it receives from and sends to, 0 for none.
  struct boxes {
    memory::object_id in;
    memory::object_id out;
  };
  static constexpr std::size_t payload = 32;

  [[nodiscard]] static boxes
  boxes_in(std::span<const std::byte, payload> copied) noexcept;

  /// See `memory::layout_of`.
  [[nodiscard]] static std::uint32_t layout() noexcept;

  pipe_end() noexcept = default;

  /// Throws `limit_reached`. One way: the first receives. With a window of 0 a
  /// send never waits.
  [[nodiscard]] static std::pair<pipe_end, pipe_end>
  make(std::uint64_t fingerprint, bool both_ways,
       std::uint64_t most_unread = window);

  /// The mailbox to receive from. Throws `invalid_state`.
  [[nodiscard]] mailbox::letter_box& in() const;

  /// The mailbox to send to. Throws `invalid_state`.
  [[nodiscard]] mailbox::letter_box& out() const;

  [[nodiscard]] bool can_receive() const noexcept {
    return in_ != nullptr;
  }

  [[nodiscard]] bool can_send() const noexcept {
    return out_ != nullptr;
  }

  [[nodiscard]] bool is_closed() const noexcept {
    return !object_;
  }

  void close() noexcept;

  [[nodiscard]] const memory::reference& object() const noexcept {
    return object_;
  }

  void send_bytes(bytes_view message) const;
  [[nodiscard]] bytes receive_bytes(std::size_t longest) const;
  [[nodiscard]] std::size_t receive_bytes_into(bytes_span into) const;

  void save(codec::encoder& to) const;

  /// `type` is for the error text.
  [[nodiscard]] static pipe_end
  load(codec::decoder& from, std::uint64_t fingerprint, std::string_view type);

  friend bool operator==(const pipe_end& a, const pipe_end& b) noexcept {
    return a.object_ == b.object_;
  }

private:
  explicit pipe_end(memory::reference object) noexcept;

  memory::reference object_;
  mailbox::letter_box* in_ = nullptr;
  mailbox::letter_box* out_ = nullptr;
};

} // namespace troupe::channel
