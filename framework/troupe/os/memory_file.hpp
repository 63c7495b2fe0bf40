// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>

#include <cstdint>
#include <string>

namespace troupe::os {

/// Creates a nameless file in memory of `size` bytes, none of them used yet.
///
/// The kernel reclaims it when its last descriptor and mapping are gone, so
/// nothing can be left behind; it is not bound by the size of /dev/shm.
/// `label` is only seen in /proc. Throws `os_failure`.
[[nodiscard]] descriptor make_memory_file(const char* label,
                                          std::uint64_t size);

/// Gives the memory of `[offset, offset + size)` back. The range reads as zero
/// from then on, in every process. Both must be multiples of the page size.
void punch_hole(int fd, std::uint64_t offset, std::uint64_t size) noexcept;

/// Returns the word at `offset`, zero where there is none. Unlike a read
/// through a mapping it does not fill a hole.
[[nodiscard]] std::uint64_t peek(int fd, std::uint64_t offset) noexcept;

/// Where large pages start. The kernel may have others; then there are none.
inline constexpr std::uint64_t large_page = std::uint64_t{1} << 21;

/// What to do about memory that finds no room: says what `ulimit -v` is.
[[nodiscard]] std::string advice_for_address_space();

/// Finds `size` bytes of free address space for a mapping, at a multiple of the
/// size of a large page, so that the mapping may have large pages. To be mapped
/// over with `map_in_place`. Throws `os_failure`.
[[nodiscard]] void* reserve_address_space(std::uint64_t size);

/// Gives back what `reserve_address_space` found.
void release_address_space(void* address, std::uint64_t size) noexcept;

/// For mapping more than there is, over a reservation: pages are accounted for
/// when touched.
extern const int map_in_place;

/// Returns the size of the file behind `fd`. Throws `os_failure`.
[[nodiscard]] std::uint64_t file_size(int fd);

/// Returns how many bytes of memory the file really uses.
[[nodiscard]] std::uint64_t used_bytes(int fd);

/// Returns the bytes of memory that this process may use: the machine's, or
/// what its cgroup allows, whichever is less.
[[nodiscard]] std::uint64_t memory_size();

[[nodiscard]] std::uint64_t page_size() noexcept;

/// Takes the memory of a range of a shared mapping now and maps it, instead of
/// at the first touch of each page; in large pages where the kernel can (Linux
/// 6.1 or later). What is there stays. Hints all: where the kernel knows none
/// of them nothing happens.
void populate(void* address, std::uint64_t size) noexcept;

/// Takes the large pages of a range of a shared mapping that is about to be
/// written all over, but those of which the first bytes are there already; so
/// it costs next to nothing where all is there. As much a hint as `populate`.
void populate_untouched(void* address, std::uint64_t size) noexcept;

} // namespace troupe::os
