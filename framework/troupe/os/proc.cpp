// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/proc.hpp>

#include <troupe/os/memory_file.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <linux/futex.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::os {

namespace {

namespace fs = std::filesystem;

fs::path folder_of(std::int32_t pid) {
  return fs::path{"/proc"} / std::to_string(pid);
}

/// The number that a file name is; 0: it is none.
std::int32_t number_of(const std::string& name) {
  std::int32_t number = 0;
  const auto* const end = name.data() + name.size();
  const auto read = std::from_chars(name.data(), end, number);
  return read.ec == std::errc{} && read.ptr == end ? number : 0;
}

/// Visits the entries of a folder of /proc, which may be gone at any moment.
template <class Visit>
bool for_each_entry(const fs::path& folder, Visit visit) {
  std::error_code failure;
  fs::directory_iterator at{folder, failure};
  const bool opened = !failure;
  for (const fs::directory_iterator end; !failure && at != end;
       at.increment(failure))
    visit(*at);
  return opened;
}

/// What stands behind the name in a `stat` file, which may hold blanks and
/// parentheses; the last one closes it.
bool read_stat(const fs::path& file, std::string& name, std::string& rest) {
  std::ifstream stream{file};
  std::string line;
  std::getline(stream, line);
  const auto begin = line.find('(');
  const auto end = line.rfind(')');
  if (begin == std::string::npos || end == std::string::npos
      || end + 2 >= line.size())
    return false;
  name = line.substr(begin + 1, end - begin - 1);
  rest = line.substr(end + 2);
  return true;
}

} // namespace

std::vector<std::int32_t> process_numbers() {
  std::vector<std::int32_t> result;
  for_each_entry("/proc", [&](const fs::directory_entry& entry) {
    if (const auto pid = number_of(entry.path().filename()); pid > 0)
      result.push_back(pid);
  });
  std::sort(result.begin(), result.end());
  return result;
}

std::optional<process_fact> fact_of(std::int32_t pid) {
  process_fact result;
  result.pid = pid;
  std::string rest;
  if (!read_stat(folder_of(pid) / "stat", result.command, rest))
    return std::nullopt;
  std::istringstream fields{rest};
  std::string skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  std::int64_t pages = 0;
  fields >> result.state >> result.parent;
  for (int field = 5; field < 14; ++field)
    fields >> skipped;
  fields >> user >> system;
  for (int field = 16; field < 22; ++field)
    fields >> skipped;
  fields >> result.start_time >> skipped >> pages;
  if (!fields)
    return std::nullopt;
  const auto per_second = std::max(::sysconf(_SC_CLK_TCK), 1L);
  result.cpu_time = (user + system) * (1'000'000'000 / per_second);
  result.resident = static_cast<std::uint64_t>(std::max<std::int64_t>(pages, 0))
                    * page_size();
  struct stat owner{};
  if (::stat(folder_of(pid).c_str(), &owner) == 0)
    result.user = owner.st_uid;
  return result;
}

std::vector<thread_fact> threads_of(std::int32_t pid) {
  std::vector<thread_fact> result;
  for_each_entry(folder_of(pid) / "task", [&](
                                            const fs::directory_entry& entry) {
    const auto id = number_of(entry.path().filename());
    std::string name;
    std::string rest;
    if (id > 0)
      result.push_back({id, read_stat(entry.path() / "stat", name, rest)
                              ? rest.front()
                              : '?'});
  });
  return result;
}

std::optional<std::uint64_t> switches_of(std::int32_t pid,
                                         std::int32_t thread) {
  std::ifstream status{folder_of(pid) / "task" / std::to_string(thread)
                       / "status"};
  std::string line;
  std::uint64_t sum = 0;
  int found = 0;
  while (found < 2 && std::getline(status, line)) {
    constexpr std::string_view what = "voluntary_ctxt_switches:";
    if (!line.starts_with(what) && !line.starts_with("non" + std::string{what}))
      continue;
    std::uint64_t number = 0;
    std::istringstream{line.substr(line.find(':') + 1)} >> number;
    sum += number;
    ++found;
  }
  return found == 2 ? std::optional{sum} : std::nullopt;
}

bool waits_for_own_process(std::int32_t pid, std::int32_t thread) {
  // "202 0x7f… 0x189 0x0 0x0 …": the call's number and its arguments; of one
  // that runs, or sleeps outside of a call, another text.
  std::ifstream file{folder_of(pid) / "task" / std::to_string(thread)
                     / "syscall"};
  std::int64_t call = -1;
  std::string word;
  std::uint64_t operation = 0;
  std::uint64_t limit = 1;
  file >> call >> word >> std::hex >> operation >> word >> limit;
  if (!file || call != SYS_futex || limit != 0)
    return false;
  const auto command = static_cast<int>(operation) & FUTEX_CMD_MASK;
  return (operation & FUTEX_PRIVATE_FLAG) != 0
         && (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET);
}

open_file open_memory_file_of(std::int32_t pid, const char* label) {
  open_file result;
  const auto wanted = "/memfd:" + std::string{label} + " (deleted)";
  const bool seen = for_each_entry(
    folder_of(pid) / "fd", [&](const fs::directory_entry& entry) {
      std::error_code failure;
      if (result.file || fs::read_symlink(entry.path(), failure) != wanted)
        return;
      descriptor file{::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC)};
      result.inode = inode_of(file.get());
      result.refused = !file;
      result.file = std::move(file);
    });
  result.refused = result.refused || (!seen && fact_of(pid).has_value());
  return result;
}

descriptor reopen_for_reading(int fd) {
  const auto path = "/proc/self/fd/" + std::to_string(fd);
  return descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
}

descriptor reopen_for_writing(int fd) {
  const auto path = "/proc/self/fd/" + std::to_string(fd);
  return descriptor{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
}

std::optional<bool> maps_file(std::int32_t pid, std::uint64_t inode) {
  std::ifstream maps{folder_of(pid) / "maps"};
  if (!maps)
    return std::nullopt;
  std::string line;
  bool any = false;
  while (std::getline(maps, line)) {
    any = true;
    if (line.find("/memfd:") == std::string::npos)
      continue;
    std::istringstream fields{line};
    std::string skipped;
    std::uint64_t found = 0;
    fields >> skipped >> skipped >> skipped >> skipped >> found;
    if (found == inode)
      return true;
  }
  // A process that has ended has none, and one that may not be seen shows none.
  return any ? std::optional{false} : std::nullopt;
}

std::uint64_t inode_of(int fd) noexcept {
  struct stat file{};
  return fd >= 0 && ::fstat(fd, &file) == 0 ? file.st_ino : 0;
}

bool write_at(int fd, std::uint64_t offset,
              std::span<const std::byte> from) noexcept {
  return ::pwrite(fd, from.data(), from.size(), static_cast<off_t>(offset))
         == static_cast<ssize_t>(from.size());
}

std::size_t read_at(int fd, std::uint64_t offset,
                    std::span<std::byte> into) noexcept {
  std::size_t done = 0;
  while (done < into.size()) {
    if (offset + done
        > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()))
      break;
    const auto count = ::pread(fd, into.data() + done, into.size() - done,
                               static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::uint64_t next_data(int fd, std::uint64_t offset) noexcept {
  constexpr auto none = std::numeric_limits<std::uint64_t>::max();
  if (offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()))
    return none;
  const auto found = ::lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
  if (found >= 0)
    return static_cast<std::uint64_t>(found);
  // A file that knows no holes is data everywhere.
  return errno == ENXIO ? none : offset;
}

std::string user_name(std::uint32_t user) {
  std::array<char, 4096> text{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, text.data(), text.size(), &found) == 0
      && found != nullptr)
    return found->pw_name;
  return std::to_string(user);
}

std::uint32_t own_user() noexcept {
  return ::geteuid();
}

} // namespace troupe::os
