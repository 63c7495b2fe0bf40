// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "suite.hpp"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// What the system itself offers, for those who compare with it.
namespace bench {

/// Runs `work` in a bare fork of this process; waits for its end.
class fork_of_this {
public:
  template <class Work>
  explicit fork_of_this(Work work) : pid_(::fork()) {
    if (pid_ != 0)
      return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    ::_exit(0);
  }
  fork_of_this(const fork_of_this&) = delete;
  fork_of_this& operator=(const fork_of_this&) = delete;
  ~fork_of_this() {
    ::waitpid(pid_, nullptr, 0);
  }

private:
  pid_t pid_;
};

/// A thing of type `T` in memory that forks share.
template <class T>
class shared_page {
public:
  shared_page()
    : at_(::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (at_ == MAP_FAILED)
      std::abort();
    new (at_) T{};
  }
  shared_page(const shared_page&) = delete;
  shared_page& operator=(const shared_page&) = delete;
  ~shared_page() {
    ::munmap(at_, sizeof(T));
  }
  T* operator->() const noexcept {
    return static_cast<T*>(at_);
  }

private:
  void* at_;
};

/// Microseconds of a round trip of a bare word on which both sides sleep,
/// measured for a while.
inline double futex_round_trip(double seconds) {
  struct words {
    std::atomic<std::uint32_t> there;
    std::atomic<std::uint32_t> back;
  };
  const auto call = [](std::atomic<std::uint32_t>& word, int operation,
                       std::uint32_t value) {
    ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation,
              value, nullptr, nullptr, 0);
  };
  const auto pass = [&](std::atomic<std::uint32_t>& word, std::uint32_t value) {
    word.store(value);
    call(word, FUTEX_WAKE, 1);
  };
  const auto await = [&](std::atomic<std::uint32_t>& word,
                         std::uint32_t before) {
    while (word.load() == before)
      call(word, FUTEX_WAIT, before);
    return word.load();
  };
  const shared_page<words> shared;
  const fork_of_this other{[&] {
    for (std::uint32_t seen = 0; (seen = await(shared->there, seen)) != 0;)
      pass(shared->back, seen);
  }};
  std::uint32_t number = 0;
  const auto took = mean_time(seconds, [&] {
    ++number;
    pass(shared->there, number);
    static_cast<void>(await(shared->back, number - 1));
  });
  pass(shared->there, 0);
  return took * 1e6;
}

} // namespace bench
