// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace troupe::machines {

/// Writes the lines of other machines to this program's standard output and error,
/// in a thread of its own, which begins with the first of them: no thread that
/// serves others waits for whoever reads. Any thread may use it.
class printer {
public:
  printer() = default;
  printer(const printer&) = delete;
  printer& operator=(const printer&) = delete;

  /// Forgets what is not written.
  ~printer();

  /// Writes `lines` to stream 1 or 2, each behind `prefix`. `written` is called
  /// afterwards, by the thread that writes.
  void print(int stream, const std::string& prefix, const std::string& lines,
             std::function<void()> written);

  /// How many times `print` was called.
  [[nodiscard]] std::uint64_t begun() const;

  /// Waits until so many of these are written; false: `limit` passed first.
  /// @blocks on whoever reads
  [[nodiscard]] bool wait(std::uint64_t number, deadline limit);

private:
  struct job {
    int stream = 1;
    std::string text;
    std::function<void()> written;
  };

  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<job> jobs_;
  std::uint64_t begun_ = 0;
  std::uint64_t done_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

/// `lines`, each behind `prefix`; the last is given its end if it has none.
[[nodiscard]] std::string with_prefix(const std::string& prefix,
                                      const std::string& lines);

} // namespace troupe::machines
