// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/command.hpp>

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>

#include <cerrno>
#include <csignal>
#include <span>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::os {

namespace {

/// What `execve` wants of a list of words.
std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (const auto& word : words)
    // Only execve reads them, which changes none.
    result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

/// All that the child needs, made before it is: it may call nothing that takes
/// a lock or memory, for it shares both with threads that stand still in it.
struct plan {
  std::vector<char*> words;
  std::vector<char*> files;
  std::vector<char*> environment;
  const char* directory;
  int streams[3];
  int report;
  const group_life_line* line;
};

struct report {
  command_step failed_at;
  int os_error;
};

[[noreturn]] void give_up(int to, command_step at) noexcept {
  const report text{at, errno};
  [[maybe_unused]] const auto written = ::write(to, &text, sizeof text);
  ::_exit(127);
}

void reset_signals() noexcept {
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  // Those that cannot be set say so, and need not be.
  for (int signal = 1; signal < NSIG; ++signal)
    ::sigaction(signal, &usual, nullptr);
}

/// Returns only if none of the files can be executed, with the error that says
/// most about why.
void execute(const plan& what) noexcept {
  int error = ENOENT;
  for (const auto* file : what.files) {
    if (file == nullptr)
      break;
    ::execve(file, what.words.data(), what.environment.data());
    if (errno == EACCES)
      error = EACCES;
    else if (errno != ENOENT && errno != ENOTDIR)
      return;
  }
  errno = error;
}

[[noreturn]] void become_command(const plan& what) noexcept {
  reset_signals();
  ::setsid();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (!what.line->arm_for_own_group())
    give_up(what.report, command_step::group);
  for (int fd = 0; fd < 3; ++fd)
    ::dup2(what.streams[fd], fd);
  constexpr int report = 3;
  if (what.report != report)
    ::dup3(what.report, report, O_CLOEXEC);
  // Also what the user has opened without O_CLOEXEC.
  ::syscall(SYS_close_range, report + 1, ~0U, 0);
  if (*what.directory != 0 && ::chdir(what.directory) != 0)
    give_up(report, command_step::directory);
  // Last: from here on a signal ends this child as it would end the command.
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  execute(what);
  give_up(report, command_step::execute);
}

/// A function of its own, so that the child, which runs in the caller's frame,
/// changes no variable that the parent goes on with.
[[gnu::noinline]] pid_t fork_into(const plan& what) noexcept {
  const auto pid
    = ::vfork(); // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  if (pid == 0)
    become_command(what);
  return pid;
}

} // namespace

begun_command begin_command(const command_setup& setup,
                            const group_life_line& line) {
  auto [reader, writer] = make_pipe();
  const plan what{pointers_to(setup.words),
                  pointers_to(setup.files),
                  pointers_to(setup.environment),
                  setup.directory.c_str(),
                  {setup.input, setup.output, setup.error_output},
                  writer.get(),
                  &line};
  begun_command result;
  // No handler of this process may run in the child while they share memory.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  {
    const group_life_line::arming_child here;
    result.pid = static_cast<std::int32_t>(fork_into(what));
    result.os_error = errno;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (result.pid < 0) {
    result.failed_at = command_step::fork;
    return result;
  }
  writer.reset();
  report text{};
  if (read_some(reader.get(), std::as_writable_bytes(std::span{&text, 1}))
      == sizeof text) {
    reap(result.pid);
    result.failed_at = text.failed_at;
    result.os_error = text.os_error;
    return result;
  }
  result.os_error = 0;
  try {
    result.ended = open_pidfd(result.pid);
  } catch (const os_failure& failure) {
    if (failure.os_error() == ESRCH)
      return result;
    ::kill(-result.pid, SIGKILL);
    reap(result.pid);
    throw;
  }
  return result;
}

bool kill_command(const begun_command& which) noexcept {
  // Only while the number is its own: who is reaped has none any more.
  if (!which.ended || !peek_child(which.pid, which.ended.get()).is_child)
    return true;
  const bool group = ::kill(-which.pid, SIGKILL) == 0;
  const bool leader = ::syscall(SYS_pidfd_send_signal, which.ended.get(),
                                SIGKILL, nullptr, 0)
                      == 0;
  return group || leader;
}

void wait_for_command(const begun_command& which) noexcept {
  // By the descriptor, of which no stop is told.
  watched end[] = {{which.ended.get()}};
  while (which.ended && !end[0].ready && end[0].open)
    static_cast<void>(wait_readable(end, deadline::never()));
}

std::optional<child_end> reap_command(const begun_command& which) noexcept {
  if (!which.ended)
    return std::nullopt;
  wait_for_command(which);
  return reap(which.pid, which.ended.get());
}

descriptor open_empty_input() {
  auto empty
    = above_standard(descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)});
  if (!empty)
    throw os_failure("open /dev/null", "raise the limit of open files");
  return empty;
}

} // namespace troupe::os
