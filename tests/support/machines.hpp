// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

namespace troupe::test {

/// Three machines, 1 to 3: a network namespace each, with a cable to a bridge.
/// What is started on one is alone in a PID namespace of its own, of which it
/// is the first process: the kernel kills all of it with that one. Needs root,
/// `ip` and `unshare`; where something is missing they do not exist, which
/// `exist` says.
class three_machines {
public:
  static constexpr int count = 3;

  three_machines()
    : ip_(find("ip")),
      unshare_(find("unshare")),
      name_("troupe-" + std::to_string(::getpid())) {
    if (ip_.empty() || unshare_.empty() || ::geteuid() != 0)
      return;
    whole_ = run("netns add " + hub())
             && run("-n " + hub() + " link add bridge type bridge")
             && run("-n " + hub() + " link set bridge up");
    for (int i = 1; i <= count; ++i)
      whole_ = whole_ && plug(i);
  }
  three_machines(const three_machines&) = delete;
  three_machines& operator=(const three_machines&) = delete;

  ~three_machines() {
    if (ip_.empty() || ::geteuid() != 0)
      return;
    // The cables go with them.
    for (int i = 1; i <= count; ++i)
      static_cast<void>(run("netns del " + of(i)));
    static_cast<void>(run("netns del " + hub()));
  }

  /// Whether they do; says on standard output if not.
  [[nodiscard]] bool exist() const {
    if (!whole_)
      std::puts("three machines need root, ip with namespaces and bridges, and "
                "unshare; skipped");
    return whole_;
  }

  [[nodiscard]] static std::string address(int machine) {
    return "10.78.0." + std::to_string(machine);
  }

  /// What to launch so that `command` runs there.
  [[nodiscard]] std::vector<std::string>
  on(int machine, const std::vector<std::string>& command) const {
    std::vector<std::string> all{
      ip_,      "netns", "exec",         of(machine),
      unshare_, "-mpf",  "--mount-proc", "--kill-child=KILL"};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }

  /// Pulls the cable, and plugs it again.
  [[nodiscard]] bool cut(int machine) const {
    return run("-n " + hub() + " link set port" + std::to_string(machine)
               + " down");
  }
  [[nodiscard]] bool mend(int machine) const {
    return run("-n " + hub() + " link set port" + std::to_string(machine)
               + " up");
  }

  /// What `from` sends to `to` goes nowhere from now on; what `to` sends
  /// arrives. `from` believes that `to` has a number which nobody has.
  [[nodiscard]] bool cut_one_way(int from, int to) const {
    return run("-n " + of(from) + " neigh replace " + address(to)
               + " lladdr 02:00:00:00:00:77 dev cable nud permanent");
  }

private:
  static std::string find(const std::string& tool) {
    for (const auto* folder : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"})
      if (std::filesystem::exists(folder + tool))
        return folder + tool;
    return {};
  }

  [[nodiscard]] std::string hub() const {
    return name_ + "-hub";
  }
  [[nodiscard]] std::string of(int machine) const {
    return name_ + '-' + std::to_string(machine);
  }

  [[nodiscard]] bool run(const std::string& what) const {
    return std::system((ip_ + ' ' + what + " 2>/dev/null").c_str()) == 0;
  }

  [[nodiscard]] bool plug(int machine) const {
    const auto port = "port" + std::to_string(machine);
    const auto there = "-n " + of(machine) + ' ';
    return run("netns add " + of(machine))
           && run(there + "link add cable type veth peer name " + port
                  + " netns " + hub())
           && run(there + "addr add " + address(machine) + "/24 dev cable")
           && run(there + "link set cable up") && run(there + "link set lo up")
           && run("-n " + hub() + " link set " + port + " master bridge")
           && run("-n " + hub() + " link set " + port + " up");
  }

  std::string ip_;
  std::string unshare_;
  std::string name_;
  bool whole_ = false;
};

/// The first child of a process, 0 if it has none: of what was launched on one
/// of `three_machines`, the program itself.
[[nodiscard]] inline std::int32_t child_of(std::int32_t pid) {
  const auto number = std::to_string(pid);
  std::ifstream file{"/proc/" + number + "/task/" + number + "/children"};
  std::int32_t child = 0;
  file >> child;
  return child;
}

} // namespace troupe::test
