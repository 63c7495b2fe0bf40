// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/codec/packet.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

/// Objects that a state holds, and the way to them. What travels is the bytes
/// of `call.hpp`; how they travel is the business of a `caller`.
///
///     proxy ─▶ caller ─┬─ local_caller ══ mailbox ══▶ table of the state
///                      └─ remote_caller ═ network ═▶ serving ─▶ the same
namespace troupe::held {

class wire;

/// Reads the bytes of an answer while they are there.
class answer_reader {
public:
  /// The shares of `handles` are only lent. Throws what the caller of the call
  /// shall see.
  virtual void
  read(bytes_view answer, std::span<const memory::object_id> handles)
    = 0;

protected:
  ~answer_reader() = default;
};

/// A call that is on its way. One thread at a time.
class pending {
public:
  virtual ~pending() = default;

  /// Waits until there is an answer or a failure; false: `limit` passed first.
  /// @blocks on the state, until `limit`
  [[nodiscard]] virtual bool wait(deadline limit) = 0;

  /// Whether there is an answer or a failure. Waits for nobody.
  [[nodiscard]] virtual bool poll() {
    try {
      return wait(deadline::now());
    } catch (const error&) {
      // `take` throws it too.
      return true;
    }
  }

  /// From now on this process is notified when `poll` may have become
  /// true. Throws `would_deadlock` where that cannot be while this thread
  /// waits. An answer that is there when it is asked for needs neither of the
  /// two.
  virtual void watch() {
  }
  virtual void unwatch() noexcept {
  }

  /// Waits, and passes the answer to `reader`, once. Throws what that throws,
  /// and the failure of the way: `peer_died`, `connection_lost`.
  virtual void take(answer_reader& reader) = 0;
};

/// How calls reach one state: through the run's memory or over a network.
///
/// Any thread may use it at any time. Calls of one thread arrive in order.
/// Answers may come in another: a call that waits there is overtaken.
class caller : public std::enable_shared_from_this<caller> {
public:
  virtual ~caller() = default;

  /// Sends `request`, and takes its handles over; its bytes may stay.
  /// Throws `peer_died`, `connection_lost`, `limit_reached`.
  [[nodiscard]] virtual std::unique_ptr<pending> send(codec::packet& request)
    = 0;

  /// Sends and waits for the answer.
  /// @blocks on the state
  virtual void call(codec::packet& request, answer_reader& reader) {
    send(request)->take(reader);
  }

  /// How proxies are written for this state and read in its answers.
  [[nodiscard]] virtual wire* coding() noexcept = 0;

  /// The same for the arguments of a call that nobody waits for: what they name
  /// must live until it is executed.
  [[nodiscard]] virtual wire* coding_for_send() noexcept {
    return coding();
  }

  /// The state, for error texts: "state (pid 42)", "[::1]:4242".
  [[nodiscard]] virtual std::string description() const = 0;
};

} // namespace troupe::held
