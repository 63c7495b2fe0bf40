// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/thread_use.hpp>

#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace troupe::os {

namespace {

std::chrono::nanoseconds time_of(clockid_t clock) noexcept {
  timespec now{};
  if (::clock_gettime(clock, &now) != 0)
    return std::chrono::nanoseconds{0};
  return std::chrono::seconds{now.tv_sec}
         + std::chrono::nanoseconds{now.tv_nsec};
}

} // namespace

thread_use thread_use::of_this_thread() noexcept {
  rusage use{};
  if (::getrusage(RUSAGE_THREAD, &use) != 0)
    return {};
  // The times in `use` are as old as the last tick.
  return {time_of(CLOCK_THREAD_CPUTIME_ID), use.ru_nvcsw};
}

thread_mark thread_mark::of_this_thread() noexcept {
  thread_mark mine;
  if (::pthread_getcpuclockid(::pthread_self(), &mine.clock_) != 0)
    return {};
  mine.id_ = static_cast<std::int32_t>(::gettid());
  return mine;
}

std::chrono::nanoseconds thread_mark::time() const noexcept {
  return id_ == 0 ? std::chrono::nanoseconds{0} : time_of(clock_);
}

bool thread_mark::waits() const noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/task/%d/stat", id_);
  const auto file = ::open(path.data(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  std::array<char, 256> text{};
  const auto size = ::read(file, text.data(), text.size() - 1);
  ::close(file);
  // The name may hold anything; the last parenthesis closes it.
  const auto* at = size > 0 ? std::strrchr(text.data(), ')') : nullptr;
  return at != nullptr && at[1] == ' ' && at[2] != 'R';
}

} // namespace troupe::os
