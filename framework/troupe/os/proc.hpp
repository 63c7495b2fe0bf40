// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// What the kernel tells of other processes, in /proc, and of a file in memory
/// without a mapping of it. Nothing here changes anything, or waits for a
/// process.
namespace troupe::os {

/// A thread, and what it does: 'R' runs or wants to, 'S' sleeps, 'D' sleeps and
/// hears no signal, 'T' and 't' are stopped, 'Z' has ended.
struct thread_fact {
  std::int32_t id = 0;
  char state = '?';
};

struct process_fact {
  std::int32_t pid = 0;
  std::int32_t parent = 0;
  char state = '?';
  /// As in `process_id`.
  std::uint64_t start_time = 0;
  std::uint32_t user = 0;
  /// What it calls itself, 15 messages at most.
  std::string command;
  /// Time on a processor, in nanoseconds, to the tick.
  std::int64_t cpu_time = 0;
  /// Bytes of memory that it has mapped and that are there, shared ones too.
  std::uint64_t resident = 0;
};

/// The numbers of all processes that /proc shows.
[[nodiscard]] std::vector<std::int32_t> process_numbers();

/// Nothing if there is no such process, or /proc does not tell.
[[nodiscard]] std::optional<process_fact> fact_of(std::int32_t pid);

/// Empty if there is no such process, or /proc does not tell.
[[nodiscard]] std::vector<thread_fact> threads_of(std::int32_t pid);

/// Returns how often a thread has left its processor: as long as that is the
/// same, and it sleeps, it has slept all the time. Nothing if there is none, or
/// /proc does not tell.
[[nodiscard]] std::optional<std::uint64_t> switches_of(std::int32_t pid,
                                                       std::int32_t thread);

/// Whether a thread sleeps until a thread of its own process wakes it: in a
/// futex that no other process can reach, and without a limit. So does a thread
/// that waits for a `std::mutex` or a `std::condition_variable`. False as well
/// where the kernel does not let the caller see, which it does to whoever may
/// trace the process.
[[nodiscard]] bool waits_for_own_process(std::int32_t pid, std::int32_t thread);

/// A file that another process has open.
struct open_file {
  descriptor file;
  std::uint64_t inode = 0;
  /// It may be there, and the kernel does not let the caller see.
  bool refused = false;
};

/// Opens, for reading only, the file in memory with that label that `pid` has
/// open: see `make_memory_file`. An empty descriptor if it has none.
[[nodiscard]] open_file open_memory_file_of(std::int32_t pid,
                                            const char* label);

/// Opens another descriptor of the caller's own file, for reading only, with a
/// position of its own. Empty where /proc is missing.
[[nodiscard]] descriptor reopen_for_reading(int fd);

/// The same for reading and writing. Empty where the file does not let that.
[[nodiscard]] descriptor reopen_for_writing(int fd);

/// Returns whether `pid` has the file of that inode mapped; nothing if the
/// kernel does not let the caller see.
[[nodiscard]] std::optional<bool> maps_file(std::int32_t pid,
                                            std::uint64_t inode);

[[nodiscard]] std::uint64_t inode_of(int fd) noexcept;

/// Reads up to `into.size()` bytes; returns how many there were. Unlike a read
/// through a mapping it fills no hole.
std::size_t read_at(int fd, std::uint64_t offset,
                    std::span<std::byte> into) noexcept;

/// Writes all of `from`; returns whether that went well.
bool write_at(int fd, std::uint64_t offset,
              std::span<const std::byte> from) noexcept;

/// Returns the first offset from `offset` on that is no hole, the largest
/// number if there is none. Moves the descriptor's position.
[[nodiscard]] std::uint64_t next_data(int fd, std::uint64_t offset) noexcept;

/// "anna", or the number where it has no name.
[[nodiscard]] std::string user_name(std::uint32_t user);

/// The user that the calling process acts for.
[[nodiscard]] std::uint32_t own_user() noexcept;

} // namespace troupe::os
