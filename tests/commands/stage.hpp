// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <csignal>
#include <initializer_list>
#include <string>
#include <vector>

#include <sys/wait.h>

namespace troupe::test {

/// What the command says, and what it ends with.
struct answer {
  int code = -1;
  std::string text;

  [[nodiscard]] bool has(std::initializer_list<const char*> parts) const {
    for (const auto* each : parts)
      if (text.find(each) == std::string::npos)
        return false;
    return true;
  }
};

inline answer ask(std::vector<std::string> words) {
  words.insert(words.begin(), TROUPE_COMMAND);
  launched command{words};
  const int status = command.wait();
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, command.output()};
}

/// A program with a run, and what the command says of it.
class stage {
public:
  /// @param words the program and its arguments
  /// @param ready what it prints once it may be looked at
  explicit stage(const std::vector<std::string>& words,
                 const char* ready = "begins")
    : program_(words) {
    REQUIRE(program_.wait_for(ready));
  }

  ~stage() {
    if (ended_)
      return;
    program_.signal(SIGKILL);
    program_.wait();
  }

  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  [[nodiscard]] answer ask(std::vector<std::string> words) const {
    words.emplace_back("--run");
    words.push_back(std::to_string(program_.pid()));
    return test::ask(words);
  }

  /// Until it stands still.
  [[nodiscard]] answer
  ask_when_stalled(const std::vector<std::string>& words) const {
    answer last;
    CHECK(eventually([&] {
      last = ask(words);
      return last.code == 3;
    }));
    INFO(last.text);
    return last;
  }

  /// Until the answer has all of these.
  [[nodiscard]] answer
  ask_until(const std::vector<std::string>& words,
            std::initializer_list<const char*> parts) const {
    answer last;
    const bool has = eventually([&] {
      last = ask(words);
      return last.has(parts);
    });
    if (!has)
      MESSAGE(last.text);
    CHECK(has);
    return last;
  }

  [[nodiscard]] std::string pid() const {
    return std::to_string(program_.pid());
  }

  [[nodiscard]] int wait_for_end() {
    ended_ = true;
    return program_.wait();
  }

  /// All that it has printed so far.
  [[nodiscard]] const std::string& output() const {
    return program_.output();
  }

private:
  launched program_;
  bool ended_ = false;
};

} // namespace troupe::test
