// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/reference.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/warm_memory.hpp>

#include <csignal>
#include <cstdint>
#include <exception>
#include <source_location>
#include <stdexcept>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

/// Runs of the memory layer alone: no program, no fork server, plain forks.
namespace troupe::test {

/// Fails the scratch run. What runs in a forked process cannot use CHECK.
inline void
expect(bool condition, const std::string& what,
       std::source_location where = std::source_location::current()) {
  if (!condition)
    throw std::runtime_error("line " + std::to_string(where.line()) + ": "
                             + what);
}

/// Does `work` in a forked process that is the root of a run of its own.
/// Returns what failed; nothing if all went well.
template <class Work>
std::string in_new_run(const limits& size, Work work) {
  int ends[2];
  if (::pipe(ends) != 0)
    return "no pipe";
  const auto pid = ::fork();
  if (pid == 0) {
    std::string failed;
    try {
      memory::run_memory::create(size);
      work();
    } catch (const std::exception& failure) {
      failed = failure.what();
      failed.append(" ");
    }
    const auto written = ::write(ends[1], failed.data(), failed.size());
    ::_exit(written == static_cast<ssize_t>(failed.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string result;
  char part[512];
  for (ssize_t size_read = 0;
       (size_read = ::read(ends[0], part, sizeof part)) > 0;)
    result.append(part, static_cast<std::size_t>(size_read));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0)
    result += "ended with wait status " + std::to_string(status);
  return result;
}

/// Forks the process of slot `index`, which does `work` and exits with 0, or
/// with 1 if it throws.
template <class Work>
pid_t fork_into_slot(std::uint32_t index, Work work) {
  const auto pid = ::fork();
  if (pid == 0) {
    int code = 0;
    try {
      memory::run_memory::current().become({index, 1});
      memory::start_without_holdings();
      work();
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "slot %u: %s\n", index, failure.what());
      code = 1;
    }
    ::_exit(code);
  }
  return pid;
}

/// Waits for the end of the process of slot `index`, and reclaims it. Returns
/// its wait status.
inline int confirm(pid_t pid, std::uint32_t index) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  memory::release_holdings(index);
  return status;
}

/// Uses the tables of slots 0 to `count` once, so that their pages are there.
inline void warm_up(std::uint32_t count) {
  static_cast<void>(memory::reference::create(memory::object_kind::user, 1));
  memory::warm_memory::give_back_own();
  for (std::uint32_t index = 1; index <= count; ++index)
    confirm(fork_into_slot(index,
                           [] {
                             static_cast<void>(memory::reference::create(
                               memory::object_kind::user, 1));
                           }),
            index);
}

/// Calls `use(first, end)` for each range of the run's memory behind the tables
/// that takes memory.
template <class Use>
void for_each_range_of_objects(Use use) {
  auto& memory = memory::run_memory::current();
  auto at = static_cast<off_t>(memory.header().more_holders);
  while ((at = ::lseek(memory.file(), at, SEEK_DATA)) >= 0) {
    const auto end = ::lseek(memory.file(), at, SEEK_HOLE);
    use(at, end);
    at = end;
  }
}

/// Returns how many bytes are used by objects, handle tables and what is kept
/// for the next objects.
inline std::uint64_t bytes_of_objects() {
  std::uint64_t result = 0;
  for_each_range_of_objects([&](off_t at, off_t end) {
    result += static_cast<std::uint64_t>(end - at);
  });
  return result;
}

/// Lists the pages of objects in use, for the one who searches a leak.
inline std::string pages_in_use() {
  auto& memory = memory::run_memory::current();
  const auto page = static_cast<off_t>(4096);
  std::string result;
  for_each_range_of_objects([&](off_t at, off_t end) {
    for (; at < end; at += page) {
      const auto* words = reinterpret_cast<const std::uint64_t*>(
        memory.at(static_cast<memory::offset>(at)));
      result.append("\n").append(std::to_string(at)).append(":");
      for (int word = 0; word < 10; ++word)
        result.append(" ").append(std::to_string(words[word]));
    }
  });
  return result;
}

/// Expects that nothing is reserved, and no more memory used than `base`.
inline void expect_nothing_left(std::uint64_t base, const std::string& when,
                                std::source_location where
                                = std::source_location::current()) {
  auto& memory = memory::run_memory::current();
  memory::warm_memory::give_back_own();
  expect(memory.reserved_bytes() == 0,
         std::to_string(memory.reserved_bytes()) + " bytes stay reserved "
           + when,
         where);
  const auto used = bytes_of_objects();
  expect(used == base,
         std::to_string(used) + " bytes are used, not " + std::to_string(base)
           + ", " + when + pages_in_use(),
         where);
}

} // namespace troupe::test
