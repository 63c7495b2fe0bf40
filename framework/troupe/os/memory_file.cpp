// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/memory_file.hpp>

#include <troupe/base/align.hpp>
#include <troupe/base/error.hpp>
#include <troupe/os/cgroup.hpp>
#include <troupe/os/pipe.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::os {

namespace {

// Numbers of the kernel's, which older C libraries do not name.
constexpr int populate_write = 23;
constexpr int collapse = 25;

/// From `first` up to `last`, which are multiples of `large_page`.
void take_large_pages(std::uintptr_t first, std::uintptr_t last) noexcept {
  // A stretch of nothing but holes is not collapsed: give each one page.
  for (auto at = first; at < last; at += large_page)
    ::madvise(reinterpret_cast<void*>(at), page_size(), populate_write);
  ::madvise(reinterpret_cast<void*>(first), last - first, collapse);
}

/// As `ftruncate`, but a size beyond the limit of file sizes is an error
/// (EFBIG) and no signal, which would end the program before it could say why.
int resize(int fd, std::uint64_t size) noexcept {
  sigset_t too_large;
  sigemptyset(&too_large);
  sigaddset(&too_large, SIGXFSZ);
  sigset_t pending;
  ::sigpending(&pending);
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &too_large, &before);
  const int result = ::ftruncate(fd, static_cast<off_t>(size));
  const int why = errno;
  // One that waited before is not ours to take.
  if (result != 0 && sigismember(&pending, SIGXFSZ) == 0) {
    const timespec at_once{};
    while (::sigtimedwait(&too_large, nullptr, &at_once) < 0
           && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = why;
  return result;
}

} // namespace

descriptor make_memory_file(const char* label, std::uint64_t size) {
  descriptor file{::memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!file)
    throw os_failure("create the memory of the run",
                     "Troupe needs memfd_create (Linux 3.17 or later)");
  if (resize(file.get(), size) != 0)
    throw os_failure("give the memory of the run its size of "
                       + std::to_string(size) + " bytes",
                     "lift the limit of file sizes (ulimit -f) or lower "
                     "limits::address_space");
  // Nobody may shrink the file under a mapping: that would be SIGBUS for all.
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    throw os_failure("seal the memory of the run");
  return above_standard(std::move(file));
}

void punch_hole(int fd, std::uint64_t offset, std::uint64_t size) noexcept {
  ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
              static_cast<off_t>(offset), static_cast<off_t>(size));
}

std::uint64_t peek(int fd, std::uint64_t offset) noexcept {
  std::uint64_t word = 0;
  const auto size = ::pread(fd, &word, sizeof word, static_cast<off_t>(offset));
  return size == sizeof word ? word : 0;
}

const int map_in_place = MAP_NORESERVE | MAP_FIXED;

std::string advice_for_address_space() {
  rlimit limit{};
  const bool limited = ::getrlimit(RLIMIT_AS, &limit) == 0
                       && limit.rlim_cur != RLIM_INFINITY;
  return "lift the limit of address space (ulimit -v"
         + (limited ? ", now " + std::to_string(limit.rlim_cur / 1024)
                    : std::string{})
         + "), or lower limits::address_space, or "
           "limits::processes for a smaller table";
}

void* reserve_address_space(std::uint64_t size) {
  // The kernel aligns to small pages, so take more and cut it to size.
  auto* const taken = static_cast<std::byte*>(
    ::mmap(nullptr, size + large_page, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (taken == MAP_FAILED)
    throw os_failure("find " + std::to_string(size) + " bytes of address space",
                     advice_for_address_space());
  const auto start = reinterpret_cast<std::uintptr_t>(taken);
  const auto before = round_up(start, large_page) - start;
  if (before != 0)
    ::munmap(taken, before);
  ::munmap(taken + before + size, large_page - before);
  return taken + before;
}

void release_address_space(void* address, std::uint64_t size) noexcept {
  ::munmap(address, size);
}

namespace {

struct stat status_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0)
    throw os_failure("ask for the size of a file in memory");
  return status;
}

} // namespace

std::uint64_t file_size(int fd) {
  return static_cast<std::uint64_t>(status_of(fd).st_size);
}

std::uint64_t used_bytes(int fd) {
  return static_cast<std::uint64_t>(status_of(fd).st_blocks) * 512;
}

std::uint64_t memory_size() {
  const auto pages = ::sysconf(_SC_PHYS_PAGES);
  auto result = static_cast<std::uint64_t>(std::max(pages, 0L)) * page_size();
  if (const auto limit = read_cgroup_limits().memory; limit > 0)
    result = std::min(result, limit);
  return result;
}

std::uint64_t page_size() noexcept {
  static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

void populate(void* address, std::uint64_t size) noexcept {
  const auto start = reinterpret_cast<std::uintptr_t>(address);
  const auto first = round_up(start, large_page);
  const auto last = (start + size) & ~(large_page - 1);
  if (first < last)
    take_large_pages(first, last);
  const auto page = start & ~(page_size() - 1);
  ::madvise(reinterpret_cast<void*>(page), start + size - page, populate_write);
}

void populate_untouched(void* address, std::uint64_t size) noexcept {
  const auto start = reinterpret_cast<std::uintptr_t>(address);
  const auto last = (start + size) & ~(large_page - 1);
  // Neighbours together: each call may wait milliseconds for other processors.
  auto first = round_up(start, large_page);
  for (auto at = first; at < last; at += large_page) {
    unsigned char is_there = 1;
    ::mincore(reinterpret_cast<void*>(at), page_size(), &is_there);
    if ((is_there & 1) == 0)
      continue;
    if (first < at)
      take_large_pages(first, at);
    first = at + large_page;
  }
  if (first < last)
    take_large_pages(first, last);
}

} // namespace troupe::os
