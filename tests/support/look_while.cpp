// SPDX-License-Identifier: BSL-1.0
// look_while [--no-alarm] PROGRAM [ARGUMENT…]
//
// Runs a test and looks, again and again, at each run that it or what it has
// started makes, as the command `troupe` does. Fails if the test fails, or if a
// look finds something that makes no sense; tests of kills run under it. With
// --no-alarm it fails as well if two looks say that something stands still.
#include <troupe/inspection/snapshot.hpp>
#include <troupe/inspection/stalls.hpp>
#include <troupe/os/memory_file.hpp>
#include <troupe/os/proc.hpp>

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
    for (auto& [inode, file] : files_)
      look_at(file);
  }

  /// What no look may find; empty if none has found anything.
  [[nodiscard]] std::string faults() const {
    std::string result;
    for (const auto& each : faults_)
      result += "look_while: " + each + "\n";
    // Others take memory meanwhile, but not during each look.
    if (looks_ >= 20 && alone_ == 0)
      result += "look_while: the run has used more memory after each of "
                + std::to_string(looks_) + " looks\n";
    return result;
  }

  [[nodiscard]] std::uint64_t looks() const noexcept {
    return looks_;
  }

  [[nodiscard]] std::uint64_t compared() const noexcept {
    return compared_;
  }

private:
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
      if (found.file && !files_.contains(found.inode))
        files_.emplace(found.inode, std::move(found.file));
    }
    // Of those that nobody has open any more nothing changes.
    std::erase_if(files_, [&](auto& each) {
      const auto seen = troupe::inspection::look_at(each.second).seen;
      if (!seen)
        return false;
      for (const auto& process : seen->processes)
        if (process.fact)
          return false;
      return ++quiet_[each.first] > 50;
    });
  }

  void look_at(const troupe::os::descriptor& file) {
    const auto before = troupe::os::used_bytes(file.get());
    auto result = troupe::inspection::look_at(file);
    const auto after = troupe::os::used_bytes(file.get());
    ++looks_;
    alone_ += after <= before ? 1 : 0;
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
      compare(*result.seen);
  }

  /// What two looks say, far enough apart, must be nothing.
  void compare(troupe::inspection::snapshot& now) {
    auto& before = before_[now.inode];
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
  std::map<std::uint64_t, std::optional<troupe::inspection::snapshot>> before_;
  std::uint64_t compared_ = 0;
  std::map<std::uint64_t, troupe::os::descriptor> files_;
  std::map<std::uint64_t, int> quiet_;
  std::chrono::steady_clock::time_point searched_at_;
  std::set<std::string> faults_;
  std::uint64_t looks_ = 0;
  std::uint64_t alone_ = 0;
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
            << looking.compared() << " pairs of them compared" << std::endl;
  if (WIFSIGNALED(status))
    return 128 + WTERMSIG(status);
  return WEXITSTATUS(status) != 0 ? WEXITSTATUS(status)
                                  : (faults.empty() ? 0 : 1);
}
