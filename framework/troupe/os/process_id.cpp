// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/process_id.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/pipe.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::os {

namespace {

struct process_stat {
  char state = 0;
  std::uint64_t start_time = 0;
};

/// Reads the two fields we need of /proc/PID/stat; false if there is none, or
/// no descriptor for it.
bool read_stat(std::int32_t pid, process_stat& result) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  descriptor file{::open(path.data(), O_RDONLY | O_CLOEXEC)};
  if (!file)
    return false;
  std::array<char, 1024> text{};
  const auto size = ::read(file.get(), text.data(), text.size() - 1);
  if (size <= 0)
    return false;
  // The name may hold blanks and parentheses; the last one closes it.
  const char* at = std::strrchr(text.data(), ')');
  if (at == nullptr || at[1] == 0)
    return false;
  at += 2;
  result.state = *at;
  for (int field = 3; field < 22 && at != nullptr; ++field) {
    at = std::strchr(at, ' ');
    if (at != nullptr)
      ++at;
  }
  if (at == nullptr)
    return false;
  result.start_time = std::strtoull(at, nullptr, 10);
  return true;
}

} // namespace

process_id this_process_id() {
  const auto pid = static_cast<std::int32_t>(::getpid());
  process_stat stat;
  return {pid, read_stat(pid, stat) ? stat.start_time : 0};
}

std::int32_t this_pid() noexcept {
  return static_cast<std::int32_t>(::getpid());
}

std::int32_t this_thread_id() noexcept {
  return static_cast<std::int32_t>(::gettid());
}

bool has_number(std::int32_t pid) noexcept {
  return ::kill(pid, 0) == 0 || errno == EPERM;
}

bool is_running(const process_id& id) noexcept {
  if (id.pid <= 0)
    return false;
  process_stat stat;
  // Without a descriptor a zombie counts as running, for as long as it is one.
  if (!read_stat(id.pid, stat))
    return has_number(id.pid);
  return stat.state != 'Z' && stat.state != 'X'
         && (id.start_time == 0 || id.start_time == stat.start_time);
}

descriptor open_pidfd(std::int32_t pid) {
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0)
    throw os_failure("watch process " + std::to_string(pid));
  return above_standard(descriptor{fd});
}

bool send_signal(const process_id& id, int signal) noexcept {
  if (id.pid <= 0)
    return false;
  const descriptor handle{
    static_cast<int>(::syscall(SYS_pidfd_open, id.pid, 0))};
  const int errno_of_handle = errno;
  if (!is_running(id))
    return false;
  // Out of descriptors, which are the user's to spend. The number is the right
  // one as long as nobody has reaped the process since we looked.
  if (!handle && errno_of_handle != ESRCH)
    return ::kill(id.pid, signal) == 0;
  if (!handle)
    return false;
  return ::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0)
         == 0;
}

std::string signal_name(int signal) {
  if (const char* name = ::sigabbrev_np(signal))
    return std::string{"SIG"} + name;
  return "signal " + std::to_string(signal);
}

} // namespace troupe::os
