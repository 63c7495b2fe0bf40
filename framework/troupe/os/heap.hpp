// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::os {

/// Asks the C library to keep freed memory for the next allocation instead of
/// giving it back to the kernel at once. Without that, every message of 64 KiB
/// and more pays for fresh pages: eight times less throughput.
///
/// Settings that the user made (MALLOC_TRIM_THRESHOLD_ and its like, or
/// GLIBC_TUNABLES) are left alone.
void keep_freed_memory() noexcept;

/// Asks the kernel to back the heap with huge pages once it is large: a look-up
/// among a million entries then misses the processor's page tables less often.
/// To be called again now and then, by one thread; costs a comparison where the
/// heap has not grown.
void prefer_huge_pages() noexcept;

} // namespace troupe::os
