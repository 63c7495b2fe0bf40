// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/wait_word.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = troupe::os;
using namespace std::chrono_literals;
using troupe::deadline;

namespace {

/// A word in memory that forked processes share.
struct shared_word {
  shared_word()
    : word(*new(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0)) os::wait_word{0}) {
  }
  shared_word(const shared_word&) = delete;
  shared_word& operator=(const shared_word&) = delete;
  ~shared_word() {
    ::munmap(&word, 4096);
  }

  os::wait_word& word;
};

} // namespace

TEST_CASE("a word that has changed is not waited for") {
  const os::wait_word word{1};
  CHECK(os::wait(word, 0, deadline::never()));
}

TEST_CASE("a wait ends at its limit, not before") {
  const os::wait_word word{0};
  const auto start = std::chrono::steady_clock::now();
  const auto limit = deadline::after(20ms);
  while (os::wait(word, 0, limit)) {
  }
  CHECK(std::chrono::steady_clock::now() - start >= 20ms);
  CHECK_FALSE(os::wait(word, 0, deadline::now()));
  CHECK_FALSE(os::wait(word, 0, deadline::after(-1s)));
}

TEST_CASE("another process wakes a sleeper") {
  const shared_word shared;
  const auto pid = ::fork();
  if (pid == 0) {
    while (shared.word == 0)
      static_cast<void>(os::wait(shared.word, 0, deadline::never()));
    ::_exit(7);
  }
  // Only a sleeper counts as woken.
  while (os::wake(shared.word, 1) == 0)
    std::this_thread::yield();
  shared.word = 1;
  os::wake_all(shared.word);
  int status = 0;
  CHECK(::waitpid(pid, &status, 0) == pid);
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("all sleepers are woken at once") {
  os::wait_word word{0};
  std::atomic<int> awake{0};
  std::vector<std::thread> sleepers;
  for (int number = 0; number < 4; ++number)
    sleepers.emplace_back([&] {
      while (word == 0)
        static_cast<void>(os::wait(word, 0, deadline::never()));
      ++awake;
    });
  word = 1;
  os::wake_all(word);
  for (auto& sleeper : sleepers)
    sleeper.join();
  CHECK(awake == 4);
}

TEST_CASE("to wake where nobody sleeps, or where no memory is, wakes nobody") {
  const os::wait_word word{0};
  CHECK(os::wake_all(word) == 0);
  auto* gone = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1,
                      0);
  ::munmap(gone, 4096);
  CHECK(os::wake_all(*static_cast<os::wait_word*>(gone)) == 0);
}
