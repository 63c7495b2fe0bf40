// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <pthread.h>
#include <unistd.h>

/// For programs that tests launch. Where the environment has
/// TROUPE_TEST_STOP_FORKED, each process that is forked off one of theirs
/// writes "forked PID" to standard error and stops, before it does anything
/// else. Whoever has launched the program lets it go on by SIGCONT.
namespace troupe::test {

inline void stop_forked() {
  char line[32] = "forked ";
  auto* const digits = line + std::strlen(line);
  auto* end = std::to_chars(digits, line + sizeof line - 1, ::getpid()).ptr;
  *end++ = '\n';
  static_cast<void>(!::write(2, line, static_cast<std::size_t>(end - line)));
  ::raise(SIGSTOP);
}

/// To be named by a program that wants this.
inline const bool stops_forked
  = std::getenv("TROUPE_TEST_STOP_FORKED") != nullptr
    && ::pthread_atfork(nullptr, nullptr, stop_forked) == 0;

} // namespace troupe::test
