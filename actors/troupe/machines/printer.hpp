// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace troupe::machines {

/// Writes the lines of other machines to this program's standard output and
/// error, in a thread of its own, which begins with the first of them: no
/// thread that serves others waits for whoever reads. Any thread may use it.
class printer {
public:
  static constexpr std::size_t most_own = 256;

  printer() = default;
  printer(const printer&) = delete;
  printer& operator=(const printer&) = delete;

  /// Forgets what is not written.
  ~printer();

  /// Writes `lines` to stream 1 or 2, each behind `prefix`. `written` is called
  /// afterwards, by the thread that writes.
  void print(int stream, const std::string& prefix, const std::string& lines,
             std::function<void()> written);

  /// Writes a line of this program's own to standard error, in the order of the
  /// others. Where nobody reads, `most_own` are kept; how many more there were
  /// is told behind them.
  void say(const std::string& line);

  /// How many jobs there were: calls of `print` and `say`.
  [[nodiscard]] std::uint64_t begun() const;

  /// Waits until so many of these are written; false: `limit` passed first.
  /// @blocks on whoever reads
  [[nodiscard]] bool wait(std::uint64_t number, deadline limit);

  /// Whether so many of these are written now.
  [[nodiscard]] bool is_written(std::uint64_t number) const;

  /// From now on the calling process is notified (`memory::notify`) each time
  /// that one is written; as often as this is called, until `unwatch` is.
  void watch();
  void unwatch() noexcept;

private:
  struct job {
    int stream = 1;
    std::string text;
    std::function<void()> written;
    bool is_own = false;
  };

  void run();
  // With the mutex held:

  void add(job what);
  void tell_of_left_out();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<job> jobs_;
  /// Of `say`: how many wait, and how many were left out since.
  std::size_t own_ = 0;
  std::uint64_t left_out_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t done_ = 0;
  int watching_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

/// `lines`, each behind `prefix`; the last is given its end if it has none.
[[nodiscard]] std::string with_prefix(const std::string& prefix,
                                      const std::string& lines);

} // namespace troupe::machines
