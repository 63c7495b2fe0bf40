// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/wait_word.hpp>

#include <cstdint>

namespace troupe::mailbox {

/// Keeps the readers of a mailbox off the heels of its writers.
///
/// A reader as quick as the writer finds one new letter at each look, and each
/// look takes the cache line of the put word from the writer, who takes it back
/// for the next letter: 100 ns and more for each where 30 would do. So a thread
/// whose last looks found little each waits for less than half a microsecond
/// before the next one, and then finds a dozen letters. One that has just put
/// something, and waits for its answer, does not.
class pursuit {
public:
  /// The calling thread's.
  [[nodiscard]] static pursuit& of_this_thread() noexcept {
    return mine;
  }

  /// The calling thread is about to take from `box`.
  void before_take(const void* box) noexcept {
    if (close_looks_ >= looks_in_a_row && known_ == 0 && box == box_)
      fall_back();
  }

  /// A look into `box` found `count` letters more than were known.
  void looked(const void* box, std::uint64_t count) noexcept {
    if (box != box_ || count == 0 || count > few) {
      box_ = box;
      close_looks_ = 0;
    } else if (close_looks_ < looks_in_a_row) {
      ++close_looks_;
    }
  }

  /// The thread has taken from the box that it looked into last, where it knows
  /// of `count` letters more.
  void knows_of(std::uint64_t count) noexcept {
    known_ = count;
  }

  /// The thread has put something somewhere: what it takes next may be the
  /// answer.
  void expect_answer() noexcept {
    close_looks_ = 0;
  }

private:
  static constexpr std::uint64_t few = 8;
  static constexpr std::uint32_t looks_in_a_row = 4;
  static constexpr unsigned distance = 12;

  void fall_back() noexcept {
    for (unsigned i = 0; i < distance; ++i)
      os::spin_pause(0);
  }

  const void* box_ = nullptr;
  std::uint64_t known_ = 0;
  std::uint32_t close_looks_ = 0;

  static thread_local pursuit mine;
};

inline thread_local constinit pursuit pursuit::mine;

} // namespace troupe::mailbox
