// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/inspection/snapshot.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::inspection {

/// A thread that waits, and nobody who could end its wait can go on.
struct stalled_wait {
  /// Index in `snapshot::waits`.
  std::size_t wait = 0;
  /// Indices in `stall_report::stalled`: whose waits would have to end first.
  /// Empty: there is nobody who could end it.
  std::vector<std::size_t> behind;
};

/// What stands still.
///
/// Sound: a thread counts as stalled only if every thread that could end its
/// wait is stalled as well. A thread that runs, has a deadline, waits for a
/// descriptor, is stopped, or is in a call that is not Troupe's, counts as one
/// that goes on, unless the kernel says that only its own process can wake it;
/// and a handle that is on its way in a message, and an actor's next message,
/// may come from any of these. So what is reported never goes on by itself;
/// what is not reported may stand still too.
struct stall_report {
  std::vector<stalled_wait> stalled;
  /// Each a cycle of those who wait for each other: indices in `stalled`, each
  /// waits for the next and the last for the first.
  std::vector<std::vector<std::size_t>> cycles;

  [[nodiscard]] bool any() const noexcept {
    return !stalled.empty();
  }
};

/// Finds what stands still. One snapshot is not of one moment, so what matters
/// is confirmed by a second one: see `confirm`.
[[nodiscard]] stall_report find_stalls(const snapshot& of);

/// Finds what stands still in `second`, as far as all that it rests on stood
/// there in `first` too, which was taken before, at least a tenth of a second.
[[nodiscard]] stall_report find_stalls(const snapshot& first,
                                       const snapshot& second);

/// "accounts (pid 42) waits for mutex 8, which audit (pid 43) holds"
[[nodiscard]] std::string sentence(const snapshot& of, const wait_record& wait);

/// One sentence for each stalled thread, those of cycles first.
[[nodiscard]] std::vector<std::string> sentences(const snapshot& of,
                                                 const stall_report& report);

/// What `wait` waits for, in few words: "mutex 8", "the end of reader (pid
/// 44)".
[[nodiscard]] std::string what_for(const snapshot& of, const wait_record& wait);

} // namespace troupe::inspection
