// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/process_tree.hpp>

#include <troupe/base/deadline.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/process_id.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::os {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_kept = 64;

fs::path folder_of(std::int32_t pid) {
  return fs::path{"/proc"} / std::to_string(pid);
}

bool is_own_proc() {
  std::error_code failure;
  return fs::read_symlink("/proc/self", failure) == std::to_string(this_pid());
}

/// The number of the parent, 0 if unknown or if `pid` has ended.
std::int32_t living_parent_of(std::int32_t pid) {
  std::ifstream file{folder_of(pid) / "stat"};
  std::string line;
  std::getline(file, line);
  // The name may hold blanks and parentheses; the last one closes it.
  const auto end = line.rfind(") ");
  if (end == std::string::npos || end + 4 >= line.size() || line[end + 2] == 'Z'
      || line[end + 2] == 'X')
    return 0;
  return std::atoi(line.c_str() + end + 4);
}

std::vector<std::int32_t> children_of(std::int32_t pid) {
  std::vector<std::int32_t> result;
  std::error_code failure;
  for (const auto& thread :
       fs::directory_iterator{folder_of(pid) / "task", failure}) {
    std::ifstream list{thread.path() / "children"};
    for (std::int32_t child = 0; list >> child;)
      result.push_back(child);
  }
  return result;
}

/// Returns how many it has killed.
int kill_below(std::int32_t parent, int depth,
               std::vector<descriptor>& all_killed) {
  // Deeper than any tree that is meant; and no cycle of numbers that were given
  // to others while we looked.
  constexpr int deepest = 200;
  int killed = 0;
  if (depth > deepest)
    return killed;
  for (const auto child : children_of(parent)) {
    descriptor handle{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
    // Asked after the handle was opened, which then is of that very process.
    if (living_parent_of(child) != parent)
      continue;
    killed += kill_below(child, depth + 1, all_killed);
    // Without a descriptor left, by its number, which its parent, stopped or
    // killed itself, has not given back.
    const bool done = handle ? ::syscall(SYS_pidfd_send_signal, handle.get(),
                                         SIGKILL, nullptr, 0)
                                 == 0
                             : ::kill(child, SIGKILL) == 0;
    if (done)
      ++killed;
    if (done && handle && all_killed.size() < most_kept)
      all_killed.push_back(std::move(handle));
  }
  return killed;
}

bool adopts_orphans() noexcept {
  // The first process of a namespace does without being told to.
  int adopts = ::getpid() == 1 ? 1 : 0;
  return adopts != 0
         || (::prctl(PR_GET_CHILD_SUBREAPER, &adopts, 0, 0, 0) == 0
             && adopts != 0);
}

/// Waits for a child that ends soon, and reaps it. With a descriptor `pid` is
/// not looked at.
void reap_soon(std::int32_t pid, int pidfd, deadline limit) noexcept {
  for (;;) {
    const auto state = peek_child(pid, pidfd);
    if (state.ended)
      reap(pid, pidfd);
    if (state.ended || !state.is_child || limit.passed())
      return;
    std::this_thread::sleep_for(std::chrono::microseconds{200});
  }
}

} // namespace

std::vector<descriptor> kill_descendants(std::int32_t leader) noexcept {
  std::vector<descriptor> killed;
  try {
    if (!is_own_proc())
      return killed;
    ::kill(-leader, SIGSTOP);
    ::kill(leader, SIGSTOP);
    // What was being made meanwhile is found at the next turn; a program that
    // makes new ones faster than that is not waited for.
    for (int turns = 0; turns < 100 && kill_below(leader, 0, killed) > 0;
         ++turns) {
    }
  } catch (const std::exception&) {
    // Out of memory: what is in the group is killed without a list.
    return killed;
  }
  return killed;
}

void reap_adopted(std::int32_t leader,
                  const std::vector<descriptor>& killed) noexcept {
  if (!adopts_orphans())
    return;
  const auto limit = deadline::after(std::chrono::seconds{1});
  for (const auto& each : killed)
    reap_soon(0, each.get(), limit);
  try {
    // One that ends may leave others: look until there is none.
    for (bool some = is_own_proc(); some && !limit.passed();) {
      some = false;
      for (const auto child : children_of(this_pid()))
        if (child != leader && ::getpgid(child) == leader) {
          some = true;
          reap_soon(child, -1, limit);
        }
    }
  } catch (const std::exception&) {
    // Out of memory: zombies stay until this process ends.
    return;
  }
}

} // namespace troupe::os
