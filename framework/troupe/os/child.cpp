// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/child.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/command_line.hpp>

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::os {

namespace {

constexpr const char* own_binary = "/proc/self/exe";

/// What `execve` wants: the words, and pointers to them with a null at the end.
class word_list {
public:
  void add(std::string word) {
    words_.push_back(std::move(word));
  }

  [[nodiscard]] char** pointers() {
    pointers_.clear();
    for (auto& word : words_)
      pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
    return pointers_.data();
  }

private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

word_list own_arguments() {
  word_list words;
  for (auto& word : command_line())
    words.add(std::move(word));
  return words;
}

word_list environment_with(const std::vector<std::string>& environment,
                           const char* variable, const std::string& value) {
  word_list words;
  const std::string own = std::string{variable} + '=';
  for (const auto& entry : environment)
    if (!entry.starts_with(own))
      words.add(entry);
  words.add(own + value);
  return words;
}

std::optional<child_end> end_in(const siginfo_t& info) noexcept {
  // Of a process that this one traces (ptrace) the system tells stops, too.
  if (info.si_pid == 0
      || (info.si_code != CLD_EXITED && info.si_code != CLD_KILLED
          && info.si_code != CLD_DUMPED))
    return std::nullopt;
  return child_end{static_cast<std::int32_t>(info.si_pid),
                   info.si_code != CLD_EXITED, info.si_status};
}

int wait_for_child(std::int32_t pid, int pidfd, siginfo_t& info,
                   int options) noexcept {
  // A number of the kernel's, which older C libraries do not name.
  constexpr auto by_pidfd = static_cast<idtype_t>(3);
  return pidfd >= 0
           ? ::waitid(by_pidfd, static_cast<id_t>(pidfd), &info, options)
           : ::waitid(P_PID, static_cast<id_t>(pid), &info, options);
}

std::string advice_for_image(int error) {
  return error == ENOENT ? std::string{"mount /proc"}
                         : advice_for_refused_process(error);
}

} // namespace

std::string advice_for_refused_process(int error) {
  if (error == ENOMEM)
    return "free memory, or lift the limit of memory of this machine, its "
           "container or its service";
  if (error != EAGAIN)
    return {};
  rlimit limit{};
  std::string shown = "unlimited";
  if (::getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    shown = std::to_string(limit.rlim_cur);
  return "raise the limit of this user's processes and threads (ulimit -u, now "
         + shown
         + "), or that of the container or service (pids.max, TasksMax)";
}

std::int32_t fork_process() {
  const auto pid = ::fork();
  if (pid < 0)
    throw os_failure("fork a process", advice_for_refused_process(errno));
  return static_cast<std::int32_t>(pid);
}

void in_forked_children(void (*action)()) noexcept {
  ::pthread_atfork(nullptr, nullptr, action);
}

std::vector<std::string> copy_environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    entries.emplace_back(*entry);
  return entries;
}

std::int32_t spawn_self(const image& how) {
  auto arguments = own_arguments();
  auto words = environment_with(how.environment, how.variable, how.value);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  for (const auto& [from, to] : how.streams)
    if (from >= 0)
      ::posix_spawn_file_actions_adddup2(&files, from, to);
    else
      ::posix_spawn_file_actions_addclose(&files, to);
  for (const int fd : how.closed)
    ::posix_spawn_file_actions_addclose(&files, fd);
  // Duplicating a descriptor onto itself makes posix_spawn keep it.
  for (const int fd : how.keep)
    ::posix_spawn_file_actions_adddup2(&files, fd, fd);
  ::posix_spawnattr_setsigmask(&attributes,
                               static_cast<const sigset_t*>(how.mask));
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int failure = ::posix_spawn(&pid, own_binary, &files, &attributes,
                                    arguments.pointers(), words.pointers());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (failure != 0)
    throw os_failure("start the program's own binary anew",
                     advice_for_image(failure), failure);
  return static_cast<std::int32_t>(pid);
}

void exec_self(const char* variable, const std::string& value,
               std::span<const int> keep) {
  auto arguments = own_arguments();
  auto words = environment_with(copy_environment(), variable, value);
  for (const int fd : keep)
    set_inheritable(fd, true);
  ::execve(own_binary, arguments.pointers(), words.pointers());
  throw os_failure("start the program's own binary anew",
                   advice_for_image(errno));
}

std::optional<child_end> peek_ended_child() noexcept {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
    return std::nullopt;
  return end_in(info);
}

child_state peek_child(std::int32_t pid, int pidfd) noexcept {
  siginfo_t info{};
  if (wait_for_child(pid, pidfd, info, WEXITED | WNOHANG | WNOWAIT) != 0)
    return {};
  return {true, end_in(info)};
}

std::optional<child_end> reap(std::int32_t pid, int pidfd) noexcept {
  for (;;) {
    siginfo_t info{};
    if (wait_for_child(pid, pidfd, info, WEXITED) == 0) {
      if (const auto end = end_in(info))
        return end;
    } else if (errno != EINTR) {
      return std::nullopt;
    }
  }
}

descriptor watch_children() {
  // Where it was ignored when the program was started, the system would reap
  // the children itself, and nobody learn how they ended.
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &usual, nullptr);
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &ended, nullptr);
  descriptor watch{::signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!watch)
    throw os_failure("watch for ended children");
  return watch;
}

void clear_child_watch(int fd) noexcept {
  signalfd_siginfo info;
  while (::read(fd, &info, sizeof info) == sizeof info) {
  }
}

std::int32_t parent_pid() noexcept {
  return static_cast<std::int32_t>(::getppid());
}

void name_process(const char* name) noexcept {
  ::prctl(PR_SET_NAME, name, 0, 0, 0);
}

void detach_standard_input() noexcept {
  for (const int fd : {1, 2})
    if (::fcntl(fd, F_GETFD) < 0) {
      const int null = ::open("/dev/null", O_WRONLY);
      if (null >= 0 && null != fd) {
        ::dup2(null, fd);
        if (null > 2)
          ::close(null);
      }
    }
  const int empty = ::open("/dev/null", O_RDONLY);
  if (empty > 0) {
    ::dup2(empty, 0);
    ::close(empty);
  }
}

void exit_at_once(int code) noexcept {
  ::_exit(code);
}

void stop_this_thread() noexcept {
  for (;;)
    ::pause();
}

} // namespace troupe::os
