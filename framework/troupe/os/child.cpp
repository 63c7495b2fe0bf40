// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/child.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/command_line.hpp>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
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
  if (info.si_pid == 0)
    return std::nullopt;
  return child_end{static_cast<std::int32_t>(info.si_pid),
                   info.si_code != CLD_EXITED, info.si_status};
}

} // namespace

std::int32_t fork_process() {
  const auto pid = ::fork();
  if (pid < 0)
    throw os_failure("fork a process",
                     "end other processes or raise the limit of processes");
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

std::int32_t spawn_self(const std::vector<std::string>& environment,
                        const char* variable, const std::string& value,
                        std::span<const int> keep, const void* mask) {
  auto arguments = own_arguments();
  auto words = environment_with(environment, variable, value);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  // Duplicating a descriptor onto itself makes posix_spawn keep it.
  for (const int fd : keep)
    ::posix_spawn_file_actions_adddup2(&files, fd, fd);
  ::posix_spawnattr_setsigmask(&attributes, static_cast<const sigset_t*>(mask));
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int failure = ::posix_spawn(&pid, own_binary, &files, &attributes,
                                    arguments.pointers(), words.pointers());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (failure != 0)
    throw os_failure("start the program's own binary anew", "mount /proc",
                     failure);
  return static_cast<std::int32_t>(pid);
}

void exec_self(const char* variable, const std::string& value,
               std::span<const int> keep) {
  auto arguments = own_arguments();
  auto words = environment_with(copy_environment(), variable, value);
  for (const int fd : keep)
    set_inheritable(fd, true);
  ::execve(own_binary, arguments.pointers(), words.pointers());
  throw os_failure("start the program's own binary anew", "mount /proc");
}

std::optional<child_end> peek_ended_child() noexcept {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
    return std::nullopt;
  return end_in(info);
}

child_state peek_child(std::int32_t pid) noexcept {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid), &info,
               WEXITED | WNOHANG | WNOWAIT)
      != 0)
    return {};
  return {true, end_in(info)};
}

std::vector<std::int32_t> children_named(const char* name) {
  std::vector<std::int32_t> result;
  std::error_code failure;
  for (const auto& thread :
       std::filesystem::directory_iterator{"/proc/self/task", failure}) {
    std::ifstream list{thread.path() / "children"};
    for (std::int32_t pid = 0; list >> pid;) {
      std::ifstream file{"/proc/" + std::to_string(pid) + "/comm"};
      std::string line;
      if (std::getline(file, line) && line == name)
        result.push_back(pid);
    }
  }
  return result;
}

void reap(std::int32_t pid) noexcept {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0
         && errno == EINTR) {
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

void adopt_orphans() noexcept {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
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

std::optional<std::string> take_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr)
    return std::nullopt;
  std::string result{value};
  ::unsetenv(name);
  return result;
}

} // namespace troupe::os
