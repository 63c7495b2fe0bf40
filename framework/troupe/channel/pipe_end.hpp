// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/mailbox/message_queue.hpp>
#include <troupe/memory/reference.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace troupe::channel {

/// What a connection is, whatever the type of its messages: a hold on one end
/// of a pipe.
///
/// A pipe is an object of kind `connection` with two sides, its ends, and a
/// mailbox for each way, made when either end first uses it, which the pipe
/// owns. Connections hold only ends. So an end goes with its last holder,
/// however that one ends, and on the way out tells both mailboxes that on this
/// side nobody writes, and nobody reads, any more.
class pipe_end {
public:
  /// Bytes that may be unread before a send waits.
  static constexpr std::uint64_t window = 256 << 10;

  /// What a look from outside wants to know of the payload of a pipe: the ids
  /// of the mailboxes that an end receives from and sends to, 0 for one that is
  /// not there, or not yet.
  struct boxes {
    memory::object_id in;
    memory::object_id out;
  };
  static constexpr std::size_t payload = 56;

  [[nodiscard]] static boxes
  boxes_in(std::span<const std::byte, payload> copied, bool second) noexcept;

  /// See `memory::layout_of`.
  [[nodiscard]] static std::uint32_t layout() noexcept;

  pipe_end() noexcept = default;

  /// Throws `limit_reached`. One way: the first receives. With a window of 0 a
  /// send never waits.
  [[nodiscard]] static std::pair<pipe_end, pipe_end>
  make(std::uint64_t fingerprint, bool both_ways,
       std::uint64_t most_unread = window);

  /// The mailbox to receive from, which this may make. Throws `invalid_state`,
  /// `limit_reached` (memory; this process can hold no more objects).
  [[nodiscard]] mailbox::message_queue& in() const {
    auto* known = in_.load();
    return known != nullptr ? *known : open_in();
  }

  /// The mailbox to send to. Throws as `in`.
  [[nodiscard]] mailbox::message_queue& out() const {
    auto* known = out_.load();
    return known != nullptr ? *known : open_out();
  }

  [[nodiscard]] bool can_receive() const noexcept;

  [[nodiscard]] bool can_send() const noexcept;

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
  /// Where a mailbox is: each thread that looks finds the same.
  class known_box {
  public:
    known_box() noexcept = default;
    known_box(const known_box& other) noexcept : box_(other.load()) {
    }
    known_box& operator=(const known_box& other) noexcept {
      store(other.load());
      return *this;
    }
    ~known_box() = default;

    [[nodiscard]] mailbox::message_queue* load() const noexcept {
      return box_.load(std::memory_order_acquire);
    }

    void store(mailbox::message_queue* box) noexcept {
      box_.store(box, std::memory_order_release);
    }

  private:
    // release in `store`, acquire in `load`: who finds the mailbox finds it
    // opened.
    std::atomic<mailbox::message_queue*> box_{nullptr};
  };

  explicit pipe_end(memory::reference object) noexcept;

  [[nodiscard]] mailbox::message_queue& open_in() const;
  [[nodiscard]] mailbox::message_queue& open_out() const;

  memory::reference object_;
  mutable known_box in_;
  mutable known_box out_;
};

} // namespace troupe::channel
