// SPDX-License-Identifier: BSL-1.0
// look_while [--no-alarm] PROGRAM [ARGUMENT…]
//
// Runs a test and looks, again and again, at each run that it or what it has
// started makes, as the command `troupe` does. Fails if the test fails, or if a
// look finds something that makes no sense; tests of kills run under it. Fails
// as well if a look has taken a page of the run: of one whose processes have
// ended it is known to the page. With --no-alarm it fails too if two looks say
// that something stands still.
#include <troupe/inspection/snapshot.hpp>
#include <troupe/inspection/stalls.hpp>
#include <troupe/os/memory_file.hpp>
#include <troupe/os/proc.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds between_looks{10};
constexpr std::chrono::milliseconds between_searches{100};

class looker {
public:
  looker(std::int32_t top, bool no_alarm) : top_(top), no_alarm_(no_alarm) {
  }

  void look() {
    const auto now = std::chrono::steady_clock::now();
    if (now - searched_at_ >= between_searches) {
      search();
      searched_at_ = now;
    }
    for (auto& [inode, run] : runs_)
      look_at(run);
  }

  /// What no look may find; empty if none has found anything.
  [[nodiscard]] std::string faults() {
    for (const auto& [inode, run] : runs_) {
      await_end(run);
      judge(run);
    }
    std::string result;
    for (const auto& each : faults_)
      result += "look_while: " + each + "\n";
    return result;
  }

  /// Runs that had ended when they were looked at last.
  [[nodiscard]] std::uint64_t ended() const noexcept {
    return ended_;
  }

  [[nodiscard]] std::uint64_t looks() const noexcept {
    return looks_;
  }

  [[nodiscard]] std::uint64_t compared() const noexcept {
    return compared_;
  }

private:
  struct run {
    troupe::os::descriptor file;
    /// Looks, and those after which no more memory was in use than before.
    std::uint64_t looks = 0;
    std::uint64_t alone = 0;
    /// Looks since its last process has ended.
    int quiet = 0;
    std::optional<troupe::inspection::snapshot> before;
  };

  /// Finds the runs of what `top_` has started.
  void search() {
    std::map<std::int32_t, std::int32_t> parents;
    for (const auto pid : troupe::os::process_numbers())
      if (const auto fact = troupe::os::fact_of(pid))
        parents[pid] = fact->parent;
    for (const auto& [pid, parent] : parents) {
      auto above = pid;
      while (above > 1 && above != top_)
        above = parents.contains(above) ? parents[above] : 0;
      if (above != top_)
        continue;
      auto found = troupe::os::open_memory_file_of(pid, "troupe-run");
      if (found.file && !runs_.contains(found.inode))
        runs_[found.inode].file = std::move(found.file);
    }
    // Of those that nobody has open any more nothing changes.
    for (auto at = runs_.begin(); at != runs_.end();) {
      auto& run = at->second;
      const auto seen = troupe::inspection::look_at(run.file).seen;
      if (!seen || has_processes(*seen) || ++run.quiet <= 50) {
        ++at;
        continue;
      }
      judge(run);
      at = runs_.erase(at);
    }
  }

  [[nodiscard]] static bool
  has_processes(const troupe::inspection::snapshot& of) {
    return !of.outsiders.empty()
           || troupe::os::maps_file(of.fork_server, of.inode).value_or(false)
           || std::any_of(of.processes.begin(), of.processes.end(),
                          [](const auto& process) {
                            return process.fact.has_value();
                          });
  }

  /// Waits until what was in the run has ended; not for ever.
  static void await_end(const run& of) {
    const auto end = std::chrono::steady_clock::now() + 2s;
    while (std::chrono::steady_clock::now() < end) {
      const auto seen = troupe::inspection::look_at(of.file).seen;
      if (!seen || !has_processes(*seen))
        return;
      // Time: between two looks.
      std::this_thread::sleep_for(between_looks);
    }
  }

  /// Whether the looks have taken memory of the run.
  void judge(const run& of) {
    // Its processes take memory meanwhile, but not during each look.
    if (of.looks >= 20 && of.alone == 0)
      faults_.insert("the run has used more memory after each of "
                     + std::to_string(of.looks) + " looks");
    const auto before = troupe::os::used_bytes(of.file.get());
    const auto seen = troupe::inspection::look_at(of.file).seen;
    if (!seen || has_processes(*seen))
      return;
    // Nobody else changes it any more.
    const auto after = troupe::os::used_bytes(of.file.get());
    ++ended_;
    if (after != before)
      faults_.insert(
        "a look at a run that has ended has changed its memory from "
        + std::to_string(before) + " bytes to " + std::to_string(after));
  }

  void look_at(run& of) {
    const auto before = troupe::os::used_bytes(of.file.get());
    auto result = troupe::inspection::look_at(of.file);
    const auto after = troupe::os::used_bytes(of.file.get());
    ++looks_;
    ++of.looks;
    of.alone += after <= before ? 1 : 0;
    if (!result.seen) {
      // It is being made.
      if (result.refusal.find("not the memory of a run") == std::string::npos)
        faults_.insert(result.refusal);
      return;
    }
    for (const auto& each : result.seen->damage)
      faults_.insert(each);
    const auto stalls = troupe::inspection::find_stalls(*result.seen);
    static_cast<void>(troupe::inspection::sentences(*result.seen, stalls));
    if (no_alarm_)
      compare(of, *result.seen);
  }

  /// What two looks say, far enough apart, must be nothing.
  void compare(run& of, troupe::inspection::snapshot& now) {
    auto& before = of.before;
    if (before && now.taken - before->taken < 100ms)
      return;
    if (before) {
      const auto stalls = troupe::inspection::find_stalls(*before, now);
      ++compared_;
      if (stalls.any()) {
        std::string alarm = "false alarm:";
        for (const auto& each : troupe::inspection::sentences(now, stalls))
          alarm += "\n  " + each;
        faults_.insert(alarm);
      }
    }
    before = std::move(now);
  }

  std::int32_t top_;
  bool no_alarm_;
  std::uint64_t compared_ = 0;
  /// By the inodes of their memory.
  std::map<std::uint64_t, run> runs_;
  std::chrono::steady_clock::time_point searched_at_;
  std::set<std::string> faults_;
  std::uint64_t looks_ = 0;
  std::uint64_t ended_ = 0;
};

} // namespace

int main(int argc, char** argv) {
  const bool no_alarm = argc > 1 && std::string_view{argv[1]} == "--no-alarm";
  char** const words = argv + (no_alarm ? 2 : 1);
  if (argc < (no_alarm ? 3 : 2)) {
    std::cerr << "look_while [--no-alarm] PROGRAM [ARGUMENT...]\n";
    return 2;
  }
  const auto own = ::getpid();
  const auto pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == own)
      ::execv(words[0], words);
    ::_exit(127);
  }
  looker looking{pid, no_alarm};
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    looking.look();
    // Time: between two looks.
    std::this_thread::sleep_for(between_looks);
  }
  const auto faults = looking.faults();
  std::cerr << faults;
  std::cout << "look_while: " << looking.looks() << " looks, "
            << looking.compared() << " pairs of them compared, "
            << looking.ended() << " runs measured that had ended" << std::endl;
  if (WIFSIGNALED(status))
    return 128 + WTERMSIG(status);
  return WEXITSTATUS(status) != 0 ? WEXITSTATUS(status)
                                  : (faults.empty() ? 0 : 1);
}
