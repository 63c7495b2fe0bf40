// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace troupe {

/// How `imap` and `imap_unordered` read their input.
///
///     pool.imap<answer>(requests, {.window = 4})
struct imap_options {
  /// How many tasks travel together. The results of a chunk come together, and
  /// a chunk is not sent before its last item was read.
  std::size_t chunk = 1;
  /// At most so many tasks whose results have not been taken are read; as many
  /// are, also while results are ready. 0: reading goes on while no result is
  /// ready to be given, up to 64 chunks for each worker.
  std::size_t window = 0;
};

} // namespace troupe
