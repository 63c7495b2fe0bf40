// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/channel/items.hpp>
#include <troupe/channel/pipe_end.hpp>
#include <troupe/channel/put_result.hpp>
#include <troupe/channel/readiness.hpp>
#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/codec/require_sendable.hpp>

#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace troupe {

template <class T>
class connection;

/// Which way a pipe goes.
struct one_way_t {};
/// `pipe<T>(one_way)` gives a receiver and a sender.
inline constexpr one_way_t one_way{};

template <class T>
[[nodiscard]] std::pair<connection<T>, connection<T>> pipe();
template <class T>
[[nodiscard]] std::pair<connection<T>, connection<T>> pipe(one_way_t);

/// One end of a pipe: Python's `Connection`. `pipe<T>()` makes a pair.
///
/// A `connection` is a handle of the end. Copies of it, in whatever process,
/// mean the same end; it may be an argument of a process, an item of a queue,
/// part of a message. Several threads and processes may use one end at once.
///
/// # Order, loss, duplication
/// As of a queue: in the order of the sends, each message to one receiver,
/// whole or not at all. After `send` returns, the message arrives even if its
/// sender is killed.
///
/// # The end
/// Once the last handle of the other end is gone, by `close`, by destruction or
/// by the death of its process, `receive` takes what has been sent and then
/// throws `closed`; `send` throws it at once. A process that keeps a handle of
/// the other end for itself keeps itself waiting.
///
/// # Waiting
/// A pipe is not a store: `send` waits while more than 256 KiB, or four
/// messages of its size, are unread.
///
/// # What a crash leaves
/// A pipe in order. Failures are thrown as by `queue`.
template <class T>
class connection {
public:
  using value_type = T;

  /// An end of no pipe, to which one may be assigned. Until then it is as one
  /// that was closed: `is_closed()`, and every use throws `invalid_state`.
  connection() noexcept = default;

  // Sending ------------------------------------------------------------------

  /// Sends a message. Throws `closed`, `limit_reached`, `invalid_state` (this
  /// handle is closed, or can only receive), what encoding throws.
  /// @blocks on receivers while too much is unread
  void send(const T& message) const {
    static_cast<void>(send_before(deadline::never(), message));
  }

  /// Sends a message if it need not wait.
  put_result try_send(const T& message) const {
    return send_before(deadline::now(), message);
  }

  template <class Rep, class Period>
  put_result
  try_send_for(const T& message,
               const std::chrono::duration<Rep, Period>& limit) const {
    return send_before(deadline::after(limit), message);
  }

  template <class Clock, class Duration>
  put_result
  try_send_until(const T& message,
                 const std::chrono::time_point<Clock, Duration>& limit) const {
    return send_before(deadline::at(limit), message);
  }

  /// The form that the others are made of.
  put_result send_before(deadline limit, const T& message) const {
    if constexpr (codec::require_sendable<T>(); codec::sendable<T>)
      return channel::put_item(end_.out(), message, limit, "send into a pipe");
    else
      return put_result::full;
  }

  // Receiving ----------------------------------------------------------------

  /// Receives the next message. Throws `closed` at the end, `malformed_bytes`,
  /// `stale_handle`, `invalid_state` (this handle is closed, or can only send).
  /// @blocks on senders while there is none
  [[nodiscard]] T receive() const {
    return *receive_before(deadline::never());
  }

  /// Receives a message if there is one now. Throws as `receive`.
  [[nodiscard]] std::optional<T> try_receive() const {
    return receive_before(deadline::now());
  }

  template <class Rep, class Period>
  [[nodiscard]] std::optional<T>
  try_receive_for(const std::chrono::duration<Rep, Period>& limit) const {
    return receive_before(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] std::optional<T> try_receive_until(
    const std::chrono::time_point<Clock, Duration>& limit) const {
    return receive_before(deadline::at(limit));
  }

  /// The form that the others are made of.
  [[nodiscard]] std::optional<T> receive_before(deadline limit) const {
    if constexpr (codec::require_sendable<T>(); codec::sendable<T>) {
      bool ended = false;
      auto message = channel::take_item<T>(end_.in(), limit, ended);
      if (ended)
        channel::throw_ended("receive from a pipe");
      return message;
    } else {
      return std::nullopt;
    }
  }

  /// Returns whether `receive` would not wait: there is a message, or the end.
  [[nodiscard]] bool poll() const {
    return end_.in().readable();
  }

  /// Waits for that.
  /// @blocks on senders
  template <class Rep, class Period>
  [[nodiscard]] bool
  poll_for(const std::chrono::duration<Rep, Period>& limit) const {
    return poll_before(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] bool
  poll_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return poll_before(deadline::at(limit));
  }

  [[nodiscard]] bool poll_before(deadline limit) const {
    return end_.in().wait_readable(limit);
  }

  // Bytes --------------------------------------------------------------------

  /// Sends bytes as they are, perhaps none, as one message. Throws as `send`.
  /// @blocks on receivers while too much is unread
  void send_bytes(bytes_view message) const {
    end_.send_bytes(message);
  }

  /// Receives one message of bytes. Throws as `receive`, and `limit_reached`
  /// if it is longer than `longest`; it is then still there to be received.
  /// @blocks on senders while there is none
  [[nodiscard]] bytes
  receive_bytes(std::size_t longest
                = std::numeric_limits<std::size_t>::max()) const {
    return end_.receive_bytes(longest);
  }

  /// Receives one message of bytes into `into` and returns its length. Throws
  /// as `receive_bytes`, with the size of `into` for `longest`.
  /// @blocks on senders while there is none
  [[nodiscard]] std::size_t receive_bytes_into(bytes_span into) const {
    return end_.receive_bytes_into(into);
  }

  // The end, and others ------------------------------------------------------

  /// Gives up this handle; every later call but `close` and `is_closed` throws
  /// `invalid_state`. The end of the pipe is closed with its last handle.
  void close() noexcept {
    readiness_.reset();
    end_.close();
  }

  [[nodiscard]] bool is_closed() const noexcept {
    return end_.is_closed();
  }

  [[nodiscard]] bool can_send() const noexcept {
    return end_.can_send();
  }

  [[nodiscard]] bool can_receive() const noexcept {
    return end_.can_receive();
  }

  /// As `queue::readable_fd`.
  [[nodiscard]] int readable_fd() {
    if (!readiness_)
      readiness_ = std::make_shared<channel::readiness>(end_.in(),
                                                        end_.object());
    return readiness_->fd();
  }

  /// The mailbox from which this end receives, for layers above.
  [[nodiscard]] mailbox::message_queue& box() const {
    return end_.in();
  }

  void save(codec::encoder& to) const {
    end_.save(to);
  }

  static connection load(codec::decoder& from) {
    return connection{
      channel::pipe_end::load(from, channel::fingerprint_of<connection>(),
                              codec::type_name<connection>())};
  }

  friend bool operator==(const connection& a, const connection& b) noexcept {
    return a.end_ == b.end_;
  }

private:
  friend std::pair<connection<T>, connection<T>> pipe<T>();
  friend std::pair<connection<T>, connection<T>> pipe<T>(one_way_t);

  explicit connection(channel::pipe_end end) noexcept : end_(std::move(end)) {
    codec::require_sendable<T>();
  }

  channel::pipe_end end_;
  std::shared_ptr<channel::readiness> readiness_;
};

} // namespace troupe
