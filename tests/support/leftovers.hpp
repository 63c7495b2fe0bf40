// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>

#include <cstddef>
#include <map>
#include <string>

namespace troupe::test {

/// What of a run there is, as far as a test may leave something of it behind.
struct inventory {
  /// Living shared objects, by kind; without those that a process has as long
  /// as it lives, such as its inbox.
  std::map<memory::object_kind, std::size_t> objects;
  std::size_t descriptors = 0;
  std::size_t threads = 0;

  /// Counts them in the run and in the calling process.
  [[nodiscard]] static inventory take();
};

/// What a process opens and starts at the first use of something, and keeps as
/// long as it lives: the rings to other processes, the actor system, the fork
/// server, the dispatcher of its pools. A test that leaves more than that in
/// all its cases together fails.
inline constexpr std::size_t descriptors_kept = 24;
inline constexpr std::size_t threads_kept = 12;

/// Says what there is now that was not there `before` and that a test should
/// have ended: living processes, slots that nobody joined, shared objects,
/// files in /dev/shm and /tmp that bear our name, and more descriptors and
/// threads than a process keeps. Empty: nothing. Waits a moment for deaths that
/// are on their way.
[[nodiscard]] std::string leftovers(const inventory& before);

/// The case that runs may leave so many objects more behind, because that is
/// what it shows.
void may_leave(memory::object_kind kind, std::size_t count);

/// Returns what the case that has run may leave, and forgets it.
[[nodiscard]] std::map<memory::object_kind, std::size_t> take_allowed();

/// Says which processes and files are left. Empty: none.
[[nodiscard]] std::string leftovers();

} // namespace troupe::test
