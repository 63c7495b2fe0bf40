// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/network/address.hpp>
#include <troupe/network/key.hpp>
#include <troupe/network/limits.hpp>
#include <troupe/os/wait_word.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace troupe::network {

struct switchboard;

/// The answer to a call, when it comes. One thread at a time.
class answer {
public:
  /// Waits until it is there or the connection is lost; false: `limit` passed
  /// first.
  /// @blocks on the service, until `limit`
  [[nodiscard]] bool wait(deadline limit) const;

  /// Whether it is there, or the connection lost.
  [[nodiscard]] bool is_here() const noexcept {
    return state_.load() != open;
  }

  /// Whether the bell of this process is rung when that becomes true.
  void watch(bool so) noexcept {
    watched_ = so;
  }

  /// Waits, and gives the bytes, once. Throws `connection_lost`.
  /// @blocks on the service
  [[nodiscard]] bytes take();

private:
  friend class connection;
  friend struct switchboard;

  enum : std::uint32_t { open, here, lost };

  /// By whoever brings the answer, or the loss.
  void become(std::uint32_t state) noexcept;

  os::wait_word state_{open};
  mutable std::atomic<bool> slept_on_{false};
  std::atomic<bool> watched_{false};
  bytes content_;
  std::string why_;
};

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
  /// Throws `not_authentic` if the other end has not this key or is none of
  /// ours; `limit_reached` if it has as many clients as it takes; `os_failure`
  /// if nobody listens there; `timed_out`; `invalid_argument` for a host that
  /// nobody knows.
  /// @blocks on the other end, until `limit`
  connection(const address& where, const key& shared, const limits& bounds = {},
             deadline limit = deadline::after(std::chrono::seconds{10}));

  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Closes the connection. Calls on the way fail.
  ~connection();

  /// Sends a request. Throws `connection_lost`; `limit_reached` for more than
  /// 1 GiB.
  /// @blocks while 64 MiB of requests are unanswered
  [[nodiscard]] std::shared_ptr<answer> call(bytes_view request);

  /// The same, and waits for the answer: the calling thread does meanwhile what
  /// the connection's thread does else, so that nobody has to be woken.
  /// Throws `connection_lost`, `limit_reached`.
  /// @blocks on the service
  [[nodiscard]] bytes ask(bytes_view request);

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
  void send(std::uint64_t number, bytes_view request);

  address where_;
  std::unique_ptr<parts> parts_;
};

} // namespace troupe::network
