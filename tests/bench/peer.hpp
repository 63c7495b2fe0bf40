// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

/// A program on the other side of two pipes that measures one thing for each
/// line that it is sent, and answers with a line that holds a number.
class peer {
public:
  explicit peer(const std::vector<const char*>& command) {
    int there[2];
    int back[2];
    if (::pipe2(there, O_CLOEXEC) != 0 || ::pipe2(back, O_CLOEXEC) != 0)
      return;
    auto words = command;
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(there[0], 0);
      ::dup2(back[1], 1);
      ::execvp(words[0], const_cast<char* const*>(words.data()));
      ::_exit(127);
    }
    ::close(there[0]);
    ::close(back[1]);
    out_ = there[1];
    in_ = ::fdopen(back[0], "r");
    std::signal(SIGPIPE, SIG_IGN);
    present_ = ask("hello") > 0;
  }

  ~peer() {
    ::close(out_);
    if (in_ != nullptr)
      std::fclose(in_);
    ::waitpid(pid_, nullptr, 0);
  }

  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  /// Whether it answered "hello" with a number above 0.
  [[nodiscard]] bool present() const noexcept {
    return present_;
  }

  /// Returns what it answers, 0 if it does not.
  double ask(const std::string& question) {
    const auto line = question + '\n';
    double value = 0;
    if (::write(out_, line.data(), line.size())
          != static_cast<ssize_t>(line.size())
        || std::fscanf(in_, "%lf", &value) != 1)
      return 0;
    return value;
  }

private:
  int pid_ = -1;
  int out_ = -1;
  std::FILE* in_ = nullptr;
  bool present_ = false;
};

} // namespace bench
