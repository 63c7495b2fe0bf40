// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>

#include <caf/error.hpp>

#include <cstdint>
#include <vector>

namespace troupe::transport {

/// Where a request is that was passed on from process to process, as the
/// asker's process knows it from what the others say.
///
/// Each process that passes the request on says so, *before* the request leaves
/// it; each that gets it from another than the asker's process says so when it
/// has it. These notices come through different rings, in any order. So they
/// are counted and not followed: a process has as many copies as it was sent,
/// less those that it sent on. Whatever the order, the sums are right as soon
/// as all notices are in; before that, some process counts a copy too many and
/// another one a copy too few.
///
/// The request is lost when no living process has a copy.
class request_trail {
public:
  explicit request_trail(memory::slot_id first);

  /// The asker's own process has sent one more copy to `to`.
  void sent(memory::slot_id home, memory::slot_id to);

  /// `from` says that it passes the request on to `to`.
  void announced(memory::slot_id from, memory::slot_id to);

  /// `to` says that it has got the request from `from`.
  void arrived(memory::slot_id from, memory::slot_id to);

  /// The request is back in the asker's process, and came from `from`.
  void came_home(memory::slot_id from, memory::slot_id home);

  /// `process` is dead, and everything that it has said has been heard. Appends
  /// to `to_ask` the processes that have to say whether what the dead one has
  /// announced to them has arrived.
  void died(memory::slot_id process, const caf::error& reason,
            std::vector<memory::slot_id>& to_ask);

  /// `at` has read all that the dead process has sent: what has not arrived
  /// there by now never will.
  void settled(memory::slot_id dead, memory::slot_id at);

  /// Nobody who lives has the request.
  [[nodiscard]] bool is_lost() const noexcept;

  /// The asker's process has the request, and nothing is known or expected of
  /// any other.
  [[nodiscard]] bool is_only_in(memory::slot_id home) const noexcept;

  /// Of the death that was heard of last.
  [[nodiscard]] const caf::error& reason() const noexcept {
    return reason_;
  }

private:
  struct holder {
    memory::slot_id process;
    std::int32_t copies = 0;
    bool dead = false;
  };

  /// What went from one process to another: announced, less what arrived.
  struct passage {
    memory::slot_id from;
    memory::slot_id to;
    std::int32_t open = 0;
  };

  holder& holder_of(memory::slot_id process);
  void count(memory::slot_id from, memory::slot_id to, std::int32_t change);

  std::vector<holder> holders_;
  std::vector<passage> passages_;
  caf::error reason_;
};

} // namespace troupe::transport
