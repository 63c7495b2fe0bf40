// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/late_lines.hpp>

#include <troupe/os/pipe.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace troupe::os {

namespace {

constexpr std::size_t most_lines = 256;

/// Never destroyed: its thread may write while the process ends.
struct late_writer {
  std::mutex mutex;
  std::deque<std::string> lines;
  std::uint64_t left_out = 0;
  bool runs = false;

  [[nodiscard]] bool next(std::string& line) {
    const std::scoped_lock guard{mutex};
    if (!lines.empty()) {
      line = std::move(lines.front());
      lines.pop_front();
      return true;
    }
    if (left_out > 0) {
      line = "troupe: " + std::to_string(std::exchange(left_out, 0))
             + " lines are left out here\n";
      return true;
    }
    runs = false;
    return false;
  }
};

late_writer& writer() {
  static auto& one = *new late_writer;
  return one;
}

} // namespace

void write_line_later(std::string line) noexcept {
  auto& to = writer();
  const std::scoped_lock guard{to.mutex};
  try {
    if (to.lines.size() >= most_lines) {
      ++to.left_out;
      return;
    }
    to.lines.push_back(std::move(line));
    if (!std::exchange(to.runs, true))
      std::thread{[&to] {
        for (std::string next; to.next(next);)
          write_all(2, next);
      }}.detach();
  } catch (const std::exception&) {
    // No memory or no thread: the next line tries again.
    to.runs = false;
    ++to.left_out;
  }
}

} // namespace troupe::os
