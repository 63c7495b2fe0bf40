// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/process_id.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/pipe.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::os {

namespace {

/// Reads a small file; empty if it cannot be read.
std::array<char, 1024> text_of(const char* path) noexcept {
  std::array<char, 1024> text{};
  const descriptor file{::open(path, O_RDONLY | O_CLOEXEC)};
  if (file) {
    const auto size = ::read(file.get(), text.data(), text.size() - 1);
    text[size > 0 ? static_cast<std::size_t>(size) : 0] = 0;
  }
  return text;
}

/// The start time of the process that is number `name` of /proc, 0 if /proc
/// does not tell.
std::uint64_t start_time_in_proc(const char* name) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%s/stat", name);
  const auto text = text_of(path.data());
  // The process's name may hold blanks and parentheses; the last one closes it.
  const char* at = std::strrchr(text.data(), ')');
  if (at == nullptr || at[1] == 0)
    return 0;
  at += 2;
  for (int field = 3; field < 22 && at != nullptr; ++field) {
    at = std::strchr(at, ' ');
    if (at != nullptr)
      ++at;
  }
  return at == nullptr ? 0 : std::strtoull(at, nullptr, 10);
}

/// The start time of the process behind a pidfd, 0 if /proc does not tell.
///
/// /proc may be that of another PID namespace, where the process has another
/// number, and its own number is another's. The kernel says there which it is.
std::uint64_t start_time_of(int pidfd) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/fdinfo/%d", pidfd);
  const auto text = text_of(path.data());
  const char* const line = std::strstr(text.data(), "Pid:");
  const long number = line == nullptr ? 0 : std::strtol(line + 4, nullptr, 10);
  if (number <= 0)
    return 0;
  return start_time_in_proc(std::to_string(number).c_str());
}

/// Returns whether the process behind a pidfd has ended, reaped or not.
bool has_ended(int pidfd) noexcept {
  pollfd state{pidfd, POLLIN, 0};
  return ::poll(&state, 1, 0) > 0;
}

/// A pidfd, or why there is none.
struct handle {
  explicit handle(std::int32_t pid) noexcept
    : fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), error(errno) {
  }

  /// The process is gone. Otherwise it is only not to be had: the descriptors
  /// are the user's to spend.
  [[nodiscard]] bool is_of_none() const noexcept {
    return !fd && (error == ESRCH || error == EINVAL);
  }

  [[nodiscard]] bool is_of(const process_id& id) const noexcept {
    if (has_ended(fd.get()))
      return false;
    const auto started = id.start_time == 0 ? 0 : start_time_of(fd.get());
    return started == 0 || started == id.start_time;
  }

  descriptor fd;
  int error;
};

} // namespace

process_id this_process_id() {
  return {this_pid(), start_time_in_proc("self")};
}

std::int32_t this_thread_id() noexcept {
  return static_cast<std::int32_t>(::gettid());
}

bool shares_process_group(std::int32_t pid) noexcept {
  return ::getpgid(pid) == ::getpgrp();
}

bool leaves_at_default(std::int32_t pid, int signal) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("SigIgn:") || line.starts_with("SigCgt:")) {
      const auto set = std::strtoull(line.c_str() + 7, nullptr, 16);
      if ((set >> (signal - 1) & 1) != 0)
        return false;
    }
  return true;
}

bool has_number(std::int32_t pid) noexcept {
  return ::kill(pid, 0) == 0 || errno == EPERM;
}

bool is_running(const process_id& id) noexcept {
  if (id.pid <= 0)
    return false;
  const handle process{id.pid};
  if (process.fd)
    return process.is_of(id);
  // Without a descriptor a zombie counts as running, for as long as it is one.
  return !process.is_of_none() && has_number(id.pid);
}

descriptor open_pidfd(std::int32_t pid) {
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0)
    throw os_failure("watch process " + std::to_string(pid));
  return above_standard(descriptor{fd});
}

signal_outcome try_signal(const process_id& id, int signal) noexcept {
  if (id.pid <= 0)
    return signal_outcome::gone;
  const handle process{id.pid};
  if (process.is_of_none() || (process.fd && !process.is_of(id)))
    return signal_outcome::gone;
  // Without a descriptor the number is the right one as long as nobody has
  // reaped the process since the caller looked.
  const auto result = process.fd
                        ? ::syscall(SYS_pidfd_send_signal, process.fd.get(),
                                    signal, nullptr, 0)
                        : ::kill(id.pid, signal);
  if (result == 0)
    return signal_outcome::sent;
  return errno == EPERM ? signal_outcome::not_permitted : signal_outcome::gone;
}

bool send_signal(const process_id& id, int signal) noexcept {
  return try_signal(id, signal) == signal_outcome::sent;
}

std::string signal_name(int signal) {
  if (const char* name = ::sigabbrev_np(signal))
    return std::string{"SIG"} + name;
  return "signal " + std::to_string(signal);
}

} // namespace troupe::os
