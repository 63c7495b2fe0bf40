// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/tuning.hpp>

#include <chrono>
#include <cstdint>

namespace troupe::mailbox {

/// Keeps a reader that has caught up from contending for its writer's cache
/// lines.
///
/// A reader as quick as the writer finds one new message at each look, and each
/// look takes the cache line of the put word from the writer, who takes it back
/// for the next message; and what the processor reads ahead are lines that the
/// writer is about to write. That is 200 ns for each message where 30 would do.
/// So a thread whose last looks found little each waits for 2.4 µs before the
/// next one, and then finds many messages. Where it does not, the writer is
/// slow by itself, and the thread lets it be for a while. One that has just put
/// something, and waits for its answer, does not wait.
class reader_back_off {
public:
  /// The calling thread's.
  [[nodiscard]] static reader_back_off& of_this_thread() noexcept {
    return mine;
  }

  /// The calling thread is about to take from `box`.
  void before_take(const void* box) noexcept {
    if (tuning::backs_off && close_looks_ >= looks_in_a_row && known_ == 0
        && box == box_)
      fall_back();
  }

  /// A look into `box` found `count` messages more than were known.
  void looked(const void* box, std::uint64_t count) noexcept {
    if (box != box_ || count == 0 || count > few) {
      box_ = box;
      close_looks_ = 0;
    } else if (fell_back_ && count < worth_it) {
      close_looks_ = -looks_after_failure;
    } else if (close_looks_ < looks_in_a_row) {
      ++close_looks_;
    }
    fell_back_ = false;
  }

  /// The thread has taken from the box that it looked into last, where it knows
  /// of `count` messages more.
  void knows_of(std::uint64_t count) noexcept {
    known_ = count;
  }

  /// The thread has put something somewhere: what it takes next may be the
  /// answer.
  void expect_answer() noexcept {
    close_looks_ = 0;
  }

private:
  using clock = std::chrono::steady_clock;

  static constexpr std::uint64_t few = 128;
  static constexpr std::uint64_t worth_it = 4;
  static constexpr std::int32_t looks_in_a_row = 4;
  static constexpr std::int32_t looks_after_failure = 60;

  void fall_back() noexcept {
    const auto until = clock::now() + tuning::back_off;
    do {
      for (unsigned i = 0; i < 4; ++i)
        os::pause();
    } while (clock::now() < until);
    fell_back_ = true;
  }

  const void* box_ = nullptr;
  std::uint64_t known_ = 0;
  /// Counts up from below 0 after a failure.
  std::int32_t close_looks_ = 0;
  bool fell_back_ = false;

  static thread_local reader_back_off mine;
};

inline thread_local constinit reader_back_off reader_back_off::mine;

} // namespace troupe::mailbox
