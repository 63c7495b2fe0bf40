// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/sync/mutex_word.hpp>
#include <troupe/sync/participant.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// The result of acquiring a lock.
struct [[nodiscard]] grant {
  /// Grows with each owner of that lock. Send it along with what you write
  /// elsewhere: a store that refuses smaller numbers refuses an owner that has
  /// lost the lock.
  std::uint64_t fence = 0;
  /// The last owner died while it held the lock: what the lock guards is as
  /// that one left it. Told once.
  bool owner_died = false;
};

namespace sync {

/// What `mutex` and `recursive_mutex` have in common.
class lock_handle {
public:
  /// Waits for the lock and says more of it than `lock`.
  /// Throws `would_deadlock`.
  /// @blocks on the owner
  grant acquire() const {
    return *acquire_before(deadline::never());
  }

  /// The same without waiting; nothing if another has the lock.
  [[nodiscard]] std::optional<grant> try_acquire() const {
    return acquire_before(deadline::now());
  }

  /// The same with a limit; nothing if it passed first.
  template <class Rep, class Period>
  [[nodiscard]] std::optional<grant>
  try_acquire_for(const std::chrono::duration<Rep, Period>& limit) const {
    return acquire_before(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] std::optional<grant> try_acquire_until(
    const std::chrono::time_point<Clock, Duration>& limit) const {
    return acquire_before(deadline::at(limit));
  }

  /// Returns whether anybody holds the lock, now.
  [[nodiscard]] bool is_locked() const noexcept {
    return static_cast<bool>(word_->holder());
  }

  /// Returns whether the calling thread holds the lock.
  [[nodiscard]] bool is_mine() const {
    return word_->holder() == owner::this_thread();
  }

  /// For who holds the lock: whether the owner before died with it.
  [[nodiscard]] bool owner_died() const noexcept {
    return word_->owner_died();
  }

  /// For who holds the lock: its fencing number.
  [[nodiscard]] std::uint64_t fence() const noexcept {
    return word_->fence();
  }

  /// Who holds the lock, now; nothing if nobody does.
  [[nodiscard]] std::optional<lock_holder> holder() const;

  /// Who waits for the lock, first come first, now. Who still spins is not
  /// among them.
  [[nodiscard]] std::vector<participant> waiters() const;

  /// Gives the handle up before its destructor does.
  /// Throws `invalid_state` while a thread of this process holds the lock: the
  /// destructor of the process's last handle would then give the lock up as if
  /// its owner had died.
  void close();

  void save(codec::encoder& to) const {
    to.handle(object_);
  }

  /// Where the lock is, the same number in every process.
  [[nodiscard]] memory::object_id id() const noexcept {
    return object_.id();
  }

  [[nodiscard]] mutex_word& word() const noexcept {
    return *word_;
  }

  friend bool operator==(const lock_handle& a, const lock_handle& b) noexcept {
    return a.object_ == b.object_;
  }

protected:
  explicit lock_handle(bool recursive);

  lock_handle(codec::decoder& from, bool recursive);

  ~lock_handle() = default;
  lock_handle(const lock_handle&) = default;
  lock_handle(lock_handle&&) = default;
  lock_handle& operator=(const lock_handle&) = default;
  lock_handle& operator=(lock_handle&&) = default;

  [[nodiscard]] std::optional<grant> acquire_before(deadline limit) const;

  /// Takes the lock, however it takes to.
  [[nodiscard]] bool take_before(deadline limit) const;

  [[noreturn]] void refuse_unlock() const;

  [[nodiscard]] std::string text() const;

  memory::reference object_;
  mutex_word* word_;
};

} // namespace sync

} // namespace troupe
