// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/memory_file.hpp>

#include <troupe/base/error.hpp>

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = troupe::os;

TEST_CASE("a file in memory has its size, and uses none of it") {
  const auto file = os::make_memory_file("test", std::uint64_t{1} << 40);
  CHECK(os::file_size(file.get()) == std::uint64_t{1} << 40);
  CHECK(os::used_bytes(file.get()) == 0);
}

TEST_CASE("a hole gives memory back and reads as zero") {
  const auto file = os::make_memory_file("test", 1 << 20);
  const std::array<char, 8192> messages{'x', 'y'};
  REQUIRE(::pwrite(file.get(), messages.data(), messages.size(), 8192) == 8192);
  CHECK(os::used_bytes(file.get()) == 8192);
  CHECK(os::peek(file.get(), 8192) == std::uint64_t{'x'} + ('y' << 8));
  os::punch_hole(file.get(), 8192, 4096);
  CHECK(os::used_bytes(file.get()) == 4096);
  CHECK(os::peek(file.get(), 8192) == 0);
  CHECK(os::file_size(file.get()) == 1 << 20);
}

TEST_CASE("to peek takes no memory, wherever it is") {
  const auto file = os::make_memory_file("test", 1 << 20);
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{4096}, (std::uint64_t{1} << 20) - 4,
        std::uint64_t{1} << 50, ~std::uint64_t{0}})
    CHECK(os::peek(file.get(), offset) == 0);
  CHECK(os::used_bytes(file.get()) == 0);
}

TEST_CASE("a file in memory is not inherited by another program") {
  const auto file = os::make_memory_file("test", 4096);
  CHECK((::fcntl(file.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("the memory size is that of the machine or less") {
  std::ifstream info{"/proc/meminfo"};
  std::string word;
  std::uint64_t kilobytes = 0;
  info >> word >> kilobytes;
  CHECK(os::memory_size() > 0);
  CHECK(os::memory_size() <= kilobytes * 1024);
}

namespace {

/// What becomes of a file larger than this process may make: 0, or which step
/// of the way went wrong.
int make_too_large(bool waits_before) {
  const rlimit small{1 << 20, 1 << 20};
  ::setrlimit(RLIMIT_FSIZE, &small);
  sigset_t too_large;
  sigemptyset(&too_large);
  sigaddset(&too_large, SIGXFSZ);
  if (waits_before) {
    ::pthread_sigmask(SIG_BLOCK, &too_large, nullptr);
    ::raise(SIGXFSZ);
  }
  try {
    static_cast<void>(os::make_memory_file("test", std::uint64_t{1} << 32));
    return 1;
  } catch (const troupe::os_failure& failure) {
    if (std::string{failure.what()}.find("ulimit -f") == std::string::npos)
      return 2;
  }
  sigset_t now;
  ::sigpending(&now);
  if ((sigismember(&now, SIGXFSZ) == 1) != waits_before)
    return 3;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
  return (sigismember(&now, SIGXFSZ) == 1) != waits_before ? 4 : 0;
}

} // namespace

TEST_CASE("a file beyond the limit of file sizes is an error, and no signal") {
  for (const bool waits_before : {false, true}) {
    CAPTURE(waits_before);
    const auto child = ::fork();
    if (child == 0)
      ::_exit(make_too_large(waits_before));
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
}
