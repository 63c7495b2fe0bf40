// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/network/carrier.hpp>
#include <troupe/os/wait_word.hpp>

#include <atomic>
#include <cstdint>
#include <string>

namespace troupe::network {

class connection;

/// The answer to a call, when it comes. One thread at a time; not longer than
/// its connection, where it is waited for.
class answer {
public:
  /// `by` runs its loop while it is waited for.
  explicit answer(connection* by = nullptr) noexcept : by_(by) {
  }

  enum class outcome : std::uint32_t { open, here, lost, too_long };

  /// Waits until it is there or the connection is lost; false: `limit` passed
  /// first.
  /// @blocks on the service, until `limit`
  [[nodiscard]] bool wait(deadline limit);

  /// The same, where another thread runs the loop.
  [[nodiscard]] bool sleep(deadline limit) const;

  /// Whether it is there, or the connection lost.
  [[nodiscard]] bool is_here() const noexcept {
    return state() != outcome::open;
  }

  /// Whether this process is notified when that becomes true.
  void watch(bool so) noexcept {
    watched_ = so;
  }

  /// Waits, and gives the bytes, once. Throws `connection_lost`,
  /// `limit_reached` for an answer of more than 1 GiB.
  /// @blocks on the service
  [[nodiscard]] bytes take();

  /// The same, where the bytes are only looked at. They live as long as this.
  [[nodiscard]] bytes_view look();

  /// A thread waits for it that does not run the loop.
  void wait_for() noexcept {
    waited_for_ = true;
  }
  [[nodiscard]] bool is_waited_for() const noexcept {
    return waited_for_;
  }

  // By whoever brings it, once:

  void bring(arrival& what);
  void fail(outcome how, std::string why) noexcept;

private:
  [[nodiscard]] outcome state() const noexcept {
    return static_cast<outcome>(state_.load());
  }
  void become(outcome state) noexcept;
  void require_here();

  connection* by_;
  // All seq_cst. `become` stores `state_`, behind the answer, and then looks at
  // `slept_on_` and `watched_`; who waits sets one of these and then looks at
  // `state_`. `waited_for_` publishes nothing: it is set before its thread
  // counts itself in `call_table`.
  os::wait_word state_{static_cast<std::uint32_t>(outcome::open)};
  mutable std::atomic<bool> slept_on_{false};
  std::atomic<bool> watched_{false};
  std::atomic<bool> waited_for_{false};
  /// The one of a small answer, or of a large one.
  bytes small_;
  payload large_;
  std::string why_;
};

} // namespace troupe::network
