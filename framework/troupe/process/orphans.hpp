// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/process/server_process.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::hosting {

/// The children that the root has of dead fork servers: hosts, and what those
/// had started and left. Confirms the death of each host and reaps all.
///
/// They are known by the mark that every descendant of a fork server bears
/// (`os::mark_lineage`), so that none of the children is touched which the
/// program has made in the root itself, by `fork`, `system`, `popen` or
/// otherwise.
class orphans {
public:
  /// Looks for new ones, which are not `server`.
  void look(const server_process& server);

  /// A server has died: looks some more times, for the kernel's list of
  /// children may miss one while others end.
  void expect() noexcept;

  /// Confirms the deaths of those that have ended, and reaps them. Returns
  /// whether there were any: what they leave behind is the root's now.
  bool reclaim();

  /// What a dead server has left half done: tells of the death that it was busy
  /// with.
  void finish_reaping();

  /// Adds what must be watched for `reclaim`.
  void add_to(std::vector<os::watched>& waiting) const;

  /// When to look again even if nothing happens; nothing: then not at all.
  [[nodiscard]] std::optional<std::chrono::milliseconds>
  next_look() const noexcept;

private:
  struct orphan {
    std::int32_t pid;
    /// None if there were many: then it is looked after every few milliseconds.
    os::descriptor ended;
  };

  void watch(std::int32_t pid);
  [[nodiscard]] bool is_watched(std::int32_t pid) const noexcept;

  std::vector<orphan> watched_;
  /// A slot is being filled by a child that has not claimed it yet.
  bool unclaimed_ = false;
  bool unwatched_ = false;
  int looks_left_ = 0;
};

} // namespace troupe::hosting
