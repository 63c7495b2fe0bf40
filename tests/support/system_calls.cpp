// SPDX-License-Identifier: BSL-1.0
#include <support/system_calls.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::test {
namespace {

// No `which` of getpriority.
constexpr long beginning = 0x7472'6f75;
constexpr long ending = 0x7472'6f76;

void mark(long which) noexcept {
  const int before = errno;
  static_cast<void>(::syscall(SYS_getpriority, which, 0L));
  errno = before;
}

bool waits_or_wakes(std::uint64_t call) noexcept {
  switch (call) {
    case SYS_futex:
    case SYS_sched_yield:
    case SYS_clock_nanosleep:
    case SYS_nanosleep:
    case SYS_restart_syscall:
    case SYS_epoll_pwait:
    case SYS_ppoll:
    // A sleeper that moves to another processor.
    case SYS_sched_getaffinity:
    case SYS_sched_setaffinity:
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
#endif
#ifdef SYS_poll
    case SYS_poll:
#endif
#ifdef SYS_futex_waitv
    case SYS_futex_waitv:
#endif
      return true;
    default: return false;
  }
}

/// Lets the traced process go on to its next stop; nothing when it is gone.
std::optional<int> next_stop(int pid, int signal) {
  if (::ptrace(PTRACE_SYSCALL, pid, nullptr, signal) != 0)
    return std::nullopt;
  int status = 0;
  if (::waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
    return std::nullopt;
  return status;
}

} // namespace

void begin_counting() noexcept {
  mark(beginning);
}

void end_counting() noexcept {
  mark(ending);
}

std::optional<std::uint64_t>
count_system_calls(int pid, const std::function<void()>& go, counted which) {
  int status = 0;
  const bool traced
    = ::ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACESYSGOOD) == 0
      && ::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) == 0
      && ::waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
  go();
  if (!traced) {
    std::printf("processes may not be traced here; nothing is counted\n");
    return std::nullopt;
  }
  std::optional<std::uint64_t> count;
  int signal = 0;
  while (const auto stop = next_stop(pid, signal)) {
    signal = WSTOPSIG(*stop);
    if (*stop >> 16 != 0 || signal == SIGTRAP)
      signal = 0; // an event of tracing, not a signal for the process
    if (signal != (SIGTRAP | 0x80))
      continue;
    signal = 0;
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
      continue;
    const bool is_mark = info.entry.nr == SYS_getpriority;
    if (is_mark && info.entry.args[0] == beginning)
      count = 0;
    else if (is_mark && info.entry.args[0] == ending) {
      ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
      return count;
    } else if (count
               && (which == counted::all || !waits_or_wakes(info.entry.nr)))
      ++*count;
  }
  return std::nullopt;
}

} // namespace troupe::test
