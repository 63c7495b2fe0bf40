// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::machines {

class member;

/// Something that has happened to a machine.
struct happening {
  enum class what : std::uint8_t { joined, leaving, left, lost };

  what kind = what::joined;
  std::shared_ptr<member> of;
  std::string reason;
};

/// What has happened, for those who listen, each of whom is told of each thing
/// once and in order. Kept is only what one of them has not heard yet, and of
/// that the last `most_kept`: who is further behind is told how many it has
/// missed, and goes on with the oldest that is kept. Any thread may use it.
class event_log {
public:
  static constexpr std::size_t most_kept = 10'000;

  /// A place in the log. Its listener is one thread at a time.
  class listener {
  private:
    friend class event_log;
    std::uint64_t next_ = 0;
  };

  /// What a listener is told.
  struct told {
    enum class how : std::uint8_t {
      happened,
      /// So many things were not kept.
      missed,
      timed_out,
      closed,
    };

    how came = how::timed_out;
    happening what = {};
    std::uint64_t missed = 0;
  };

  void add(happening what);

  /// Listens from now on, until the result is destroyed.
  [[nodiscard]] std::shared_ptr<listener> listen();

  /// Waits for the next.
  /// @blocks on whoever adds, until `limit`
  [[nodiscard]] told next(listener& by, deadline limit);

  /// Nothing happens any more. Who listens still hears of what has.
  void close();

  /// How many are kept.
  [[nodiscard]] std::size_t kept() const;

private:
  // With the mutex held:

  [[nodiscard]] std::uint64_t end() const noexcept {
    return first_ + kept_.size();
  }
  void forget_what_all_have_heard();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<happening> kept_;
  /// The number of the first that is kept.
  std::uint64_t first_ = 0;
  std::vector<std::weak_ptr<listener>> listeners_;
  bool closed_ = false;
};

} // namespace troupe::machines
