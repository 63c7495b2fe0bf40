// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/os/robust_mutex.hpp>

namespace troupe::mailbox {

/// Holds one of a mailbox's locks for the time of a scope; calls `recover`, to
/// mend what it guards, if its last owner died. The end of the scope is a
/// sequentially consistent fence, behind which may be looked who waits.
template <class Recover>
class message_queue_lock {
public:
  /// Throws `would_deadlock`, `invalid_state`; `attempted` names the call.
  /// @blocks on the one process that holds the lock
  message_queue_lock(os::robust_mutex& lock, Recover recover,
                     const char* attempted)
    : lock_(lock) {
    switch (lock_.lock()) {
      case os::lock_result::clean: break;
      case os::lock_result::owner_died: recover(); break;
      case os::lock_result::would_deadlock:
        throw would_deadlock(
          attempted, "this thread is inside of the same operation",
          "do not use a mailbox in the code that decodes its "
          "items");
      case os::lock_result::not_locked:
        throw invalid_state(attempted, "its lock was overwritten");
    }
  }
  message_queue_lock(const message_queue_lock&) = delete;
  message_queue_lock& operator=(const message_queue_lock&) = delete;
  ~message_queue_lock() {
    lock_.unlock_and_fence();
  }

private:
  os::robust_mutex& lock_;
};

} // namespace troupe::mailbox
