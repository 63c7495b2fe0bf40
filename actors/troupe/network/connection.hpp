// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/network/address.hpp>
#include <troupe/network/answer.hpp>
#include <troupe/network/key.hpp>
#include <troupe/network/limits.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace troupe::network {

/// A connection to a listener, which it has shown the key, as the listener has
/// to it. Any thread may use it at any time.
///
/// # Order
/// The requests of one thread are served in their order. Answers come when the
/// service gives them.
///
/// # Loss
/// A lost connection stays lost; every call on the way, and every later one,
/// fails with `connection_lost`: at once where the other process died or closed
/// it, after `limits::silence` where nothing comes any more. Whether a call on
/// the way was executed is not known then.
class connection {
public:
  /// Throws `not_authentic` if the other end has not this key or speaks no TLS;
  /// `limit_reached` if it has as many clients as it takes; `os_failure` if
  /// nobody listens there; `timed_out` if it has not answered until `limit`;
  /// `connection_lost` if it has ended the connection before, or does not go on
  /// as one of ours; `invalid_argument` for a host that nobody knows.
  /// @blocks on the other end, until `limit`
  connection(const address& where, const key& shared, const limits& bounds = {},
             deadline limit = deadline::after(std::chrono::seconds{10}));

  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Closes the connection. Calls on the way fail.
  ~connection();

  /// Sends a request. Throws `connection_lost`; `limit_reached` for more than
  /// 1 GiB.
  /// @blocks while 64 MiB of requests are unanswered, besides one that is
  /// longer
  [[nodiscard]] std::shared_ptr<answer> call(bytes_view request);

  /// The same, and waits for the answer: the calling thread does meanwhile what
  /// the connection's thread does else, so that nobody has to be woken.
  /// Throws `connection_lost`, `limit_reached`.
  /// @blocks on the service
  [[nodiscard]] bytes ask(bytes_view request);

  /// The same, where the bytes of the answer are only looked at.
  [[nodiscard]] std::shared_ptr<answer> ask_and_look(bytes_view request);

  /// Waits for the answer to a call of this connection, as `ask` does; false:
  /// `limit` passed first.
  /// @blocks on the service, until `limit`
  [[nodiscard]] bool wait(answer& of, deadline limit);

  /// Whether that is here, for one who looks again and again.
  [[nodiscard]] bool poll(const answer& of);

  /// This process is notified when it is, until `unwatch`.
  void watch(answer& of);
  void unwatch(answer& of) noexcept;

  /// Sends a request that is not answered; nothing where the connection is
  /// lost.
  void tell(bytes_view request) noexcept;

  [[nodiscard]] bool is_lost() const noexcept;

  [[nodiscard]] const address& where() const noexcept {
    return where_;
  }

private:
  struct parts;

  void check_size(bytes_view request) const;
  void send(std::uint64_t number, bytes_view request, bool borrowed);
  /// Sends it with what follows soon, or at once where nothing is on its way
  /// whose answer would bring the next occasion.
  void send_soon(const departure& what);

  address where_;
  std::unique_ptr<parts> parts_;
};

} // namespace troupe::network
