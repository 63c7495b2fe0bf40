// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::os {

/// Returns how many processors this process may really use, at least 1: the
/// affinity mask, cut by the processor quota of its cgroup (rounded up).
[[nodiscard]] unsigned available_processors();

/// Whether there is one only: then no spin can succeed. Looked up once.
[[nodiscard]] bool has_one_processor();

/// Returns the number of the processor that the calling thread runs on, at the
/// moment. Costs nanoseconds.
[[nodiscard]] unsigned current_processor() noexcept;

/// Moves the calling thread to another processor that it may use, and leaves it
/// free to go wherever it might go before. Returns false if there is none.
bool change_processor() noexcept;

} // namespace troupe::os
