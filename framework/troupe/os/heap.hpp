// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace troupe::os {

/// Asks the C library to keep freed memory for the next allocation instead of
/// giving it back to the kernel at once. Without that, every message of 64 KiB
/// and more pays for fresh pages: eight times less throughput.
///
/// Settings that the user made (MALLOC_TRIM_THRESHOLD_ and its like, or
/// GLIBC_TUNABLES) are left alone.
void keep_freed_memory() noexcept;

/// From this size on `prefer_large_pages` pays for its system call.
inline constexpr std::size_t worth_large_pages = 4 << 20;

/// Asks the kernel to back allocated memory that is about to be written for the
/// first time with large pages: a fault for every 2 MiB instead of every 4 KiB
/// makes that five times as fast. A hint.
void prefer_large_pages(void* allocated, std::size_t size) noexcept;

/// Asks the C library to keep large blocks as well, up to 256 MiB, which it
/// else maps anew each time: their pages are then there at the next allocation.
/// For processes whose `main` is Troupe's; see `give_freed_memory_back`.
void keep_large_blocks() noexcept;

/// Whether there may be large blocks to give back.
[[nodiscard]] bool keeps_large_blocks() noexcept;

/// Gives the freed memory that the C library has kept back to the kernel, for
/// when none will be needed for a while.
void give_freed_memory_back() noexcept;

} // namespace troupe::os
