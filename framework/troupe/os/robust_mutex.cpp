// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/robust_mutex.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/tuning.hpp>
#include <troupe/os/wait_word.hpp>

#include <cerrno>
#include <ctime>

namespace troupe::os {

void robust_mutex::initialise() {
  pthread_mutexattr_t attributes;
  int code = ::pthread_mutexattr_init(&attributes);
  if (code == 0) {
    code = ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (code == 0)
      code = ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    // So that a thread that would wait for itself is told.
    if (code == 0)
      code = ::pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    if (code == 0)
      code = ::pthread_mutex_init(&mutex_, &attributes);
    ::pthread_mutexattr_destroy(&attributes);
  }
  if (code != 0)
    throw os_failure("make a lock that outlives its owner", {}, code);
}

lock_result robust_mutex::result_of(int code) noexcept {
  switch (code) {
    case 0: return lock_result::clean;
    case EOWNERDEAD:
      ::pthread_mutex_consistent(&mutex_);
      return lock_result::owner_died;
    case EDEADLK: return lock_result::would_deadlock;
    default: return lock_result::not_locked;
  }
}

lock_result robust_mutex::lock_slowly(int code, deadline limit) noexcept {
  // A holder leaves soon: a sleep in the kernel costs a hundred times more.
  for (spinning turns{tuning::robust_mutex}; code == EBUSY && turns.pause();)
    code = ::pthread_mutex_trylock(&mutex_);
  if (code != EBUSY)
    return result_of(code);
  if (limit.is_never())
    return result_of(::pthread_mutex_lock(&mutex_));
  const auto left = limit.left();
  const auto until = deadline::clock::now().time_since_epoch() + left;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(until);
  timespec when{};
  when.tv_sec = static_cast<time_t>(seconds.count());
  when.tv_nsec
    = static_cast<long>(std::chrono::nanoseconds{until - seconds}.count());
  return result_of(::pthread_mutex_clocklock(&mutex_, CLOCK_MONOTONIC, &when));
}

lock_result robust_mutex::try_lock() noexcept {
  return result_of(::pthread_mutex_trylock(&mutex_));
}

} // namespace troupe::os
