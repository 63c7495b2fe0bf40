// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace troupe::test {

/// How a program is to be launched.
struct launch_options {
  /// "NAME=value", added to the environment.
  std::vector<std::string> environment;
  /// Of 0, 1 and 2, which are closed before the program starts.
  std::vector<int> closed;
  /// Gives it a terminal of its own, so that Ctrl-C can be typed; standard
  /// output and error are then the terminal.
  bool terminal = false;
  /// Descriptor kept open across the exec, besides 0 to 2.
  int kept = -1;
};

/// Options for a program that Ctrl-C is typed to.
[[nodiscard]] launch_options in_terminal();

/// A program that a test runs from outside: for tests of a whole run, which
/// may end in every way.
class launched {
public:
  explicit launched(const std::vector<std::string>& command,
                    const launch_options& options = {});

  /// Kills what still runs.
  ~launched();

  launched(const launched&) = delete;
  launched& operator=(const launched&) = delete;

  [[nodiscard]] std::int32_t pid() const noexcept {
    return pid_;
  }

  /// Reads until the output holds `text`. Returns false at its end, or after
  /// the watchdog's time.
  bool wait_for(const std::string& text);

  /// Reads until `enough` says so of the output. Returns false as `wait_for`.
  bool wait_until(const std::function<bool(const std::string&)>& enough);

  /// Writes to the terminal: "\x03" is Ctrl-C.
  void type(const std::string& text) const;

  void signal(int number) const;

  /// Waits until the program has ended and its output with it. Returns what
  /// `waitpid` says, -1 after the watchdog's time.
  int wait();

  /// All that it has printed, standard output and error together.
  [[nodiscard]] const std::string& output() const noexcept {
    return output_;
  }

private:
  bool read_more();

  std::int32_t pid_ = 0;
  int out_ = -1;
  int status_ = -1;
  std::string output_;
  std::chrono::steady_clock::time_point limit_;
};

/// The inode of the run's memory that process `pid` has mapped, 0 if none.
[[nodiscard]] std::uint64_t run_of(std::int32_t pid);

/// The processes that have the memory of `run` mapped.
[[nodiscard]] std::vector<std::int32_t> members_of(std::uint64_t run);

/// Waits for the end of a program that listens to signals. Whether it ended by
/// itself with 0, and nothing of its run is left.
[[nodiscard]] bool ends_itself(launched& program, std::uint64_t run);

/// How often `text` has `part`.
[[nodiscard]] std::size_t count(const std::string& text,
                                const std::string& part);

/// The path of a program that was built beside the calling test.
[[nodiscard]] std::string beside_this_program(const std::string& name);

} // namespace troupe::test
