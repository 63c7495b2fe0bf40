// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <sys/wait.h>

namespace troupe::test {

using clock_type = std::chrono::steady_clock;

[[nodiscard]] inline std::int64_t
milliseconds_since(clock_type::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_type::now()
                                                               - start)
    .count();
}

/// Options of programs that have the same key.
[[nodiscard]] inline launch_options with_key() {
  launch_options made;
  made.environment = {"TROUPE_KEY=a key for tests of machines only"};
  return made;
}

/// What stands behind `before` in `text`, up to a blank or the end of the line.
[[nodiscard]] inline std::string word_behind(const std::string& text,
                                             const std::string& before) {
  const auto at = text.find(before);
  if (at == std::string::npos)
    return {};
  const auto start = at + before.size();
  return text.substr(start, text.find_first_of(" \n\r", start) - start);
}

[[nodiscard]] inline bool exited_with(int status, int code) {
  return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

/// Whether nothing of a run is left, or soon will be. 0: it had ended before
/// one could look.
[[nodiscard]] inline bool leaves_nothing(std::uint64_t run) {
  return run == 0 || eventually([run] { return members_of(run).empty(); });
}

/// As `ps` shows it.
[[nodiscard]] inline std::string name_of(std::int32_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/comm"};
  std::string name;
  std::getline(file, name);
  return name;
}

/// A program that leads, on loopback.
class leading : public launched {
public:
  explicit leading(std::vector<std::string> arguments,
                   const std::vector<std::string>& options = {},
                   const std::string& program = "machine_role",
                   const launch_options& how = with_key())
    : launched(command(std::move(arguments), options, program), how) {
    if (wait_for("leads at ")) {
      wait_for("\n");
      where_ = word_behind(output(), "leads at ");
    }
    run_ = run_of(pid());
  }

  [[nodiscard]] const std::string& where() const noexcept {
    return where_;
  }

  [[nodiscard]] std::uint64_t run() const noexcept {
    return run_;
  }

private:
  static std::vector<std::string> command(std::vector<std::string> arguments,
                                          const std::vector<std::string>& more,
                                          const std::string& program) {
    std::vector<std::string> made{beside_this_program(program),
                                  "--troupe.listen=127.0.0.1:0"};
    made.insert(made.end(), more.begin(), more.end());
    made.insert(made.end(), arguments.begin(), arguments.end());
    return made;
  }

  std::string where_;
  std::uint64_t run_ = 0;
};

/// A program that joins.
class joining : public launched {
public:
  explicit joining(const std::string& where,
                   const std::vector<std::string>& options = {},
                   const std::string& program = "machine_role",
                   const launch_options& how = with_key())
    : launched(command(where, options, program), how) {
  }

  /// Waits until it has joined. Returns whether it has.
  [[nodiscard]] bool joins() {
    if (!wait_for("joined "))
      return false;
    run_ = run_of(pid());
    return true;
  }

  [[nodiscard]] std::uint64_t run() const noexcept {
    return run_;
  }

private:
  static std::vector<std::string> command(const std::string& where,
                                          const std::vector<std::string>& more,
                                          const std::string& program) {
    std::vector<std::string> made{program.find('/') == std::string::npos
                                    ? beside_this_program(program)
                                    : program,
                                  "--troupe.join=" + where};
    made.insert(made.end(), more.begin(), more.end());
    return made;
  }

  std::uint64_t run_ = 0;
};

} // namespace troupe::test
