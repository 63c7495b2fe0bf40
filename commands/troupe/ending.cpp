// SPDX-License-Identifier: BSL-1.0
#include "ending.hpp"

#include "table.hpp"

#include <troupe/os/process_id.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <set>
#include <string>
#include <vector>

namespace troupe::command {

namespace {

using inspection::process_record;
using inspection::snapshot;

/// It and what it has started, children behind their parents.
std::vector<const process_record*> tree_of(const snapshot& of,
                                           const process_record& top) {
  std::vector<const process_record*> result{&top};
  std::set<std::uint32_t> known{top.slot};
  for (std::size_t at = 0; at < result.size(); ++at)
    for (const auto& each : of.processes)
      if (each.parent == result[at]->slot
          && each.state != memory::slot_state::dead
          && known.insert(each.slot).second)
        result.push_back(&each);
  return result;
}

bool is_agreed(const std::vector<const process_record*>& to_end) {
  std::cout << "This ends";
  for (const auto* each : to_end)
    std::cout << "\n  " << printable(each->description());
  std::cout << "\nDo it? [y/N] " << std::flush;
  std::string answer;
  return std::getline(std::cin, answer)
         && (answer == "y" || answer == "Y" || answer == "yes");
}

} // namespace

int end_process(const inspection::run_entry& run,
                const std::string& pid_or_name, const kill_options& options) {
  const auto seen = look_at(run).run;
  const auto& top = find_process(seen, pid_or_name);
  auto to_end = options.tree || top.slot == 0
                  ? tree_of(seen, top)
                  : std::vector<const process_record*>{&top};
  // The end of the root is the end of all.
  if ((to_end.size() > 1 || top.slot == 0) && !options.yes
      && !is_agreed(to_end)) {
    std::cout << "nothing was done\n";
    return exit_nothing;
  }
  if (top.slot == 0)
    to_end.resize(1);
  int result = exit_good;
  for (const auto* each : to_end) {
    if (each->pid <= 0 || !each->fact) {
      std::cerr << fmt::format("{} has no process yet, or has just ended\n",
                               printable(each->description()));
      result = exit_nothing;
      continue;
    }
    switch (
      os::try_signal({each->pid, each->fact->start_time}, options.signal)) {
      case os::signal_outcome::sent:
        std::cout << fmt::format("{} was sent {}\n",
                                 printable(each->description()),
                                 os::signal_name(options.signal));
        break;
      case os::signal_outcome::gone:
        std::cerr << fmt::format("{} has ended meanwhile\n",
                                 printable(each->description()));
        result = exit_nothing;
        break;
      case os::signal_outcome::not_permitted:
        std::cerr << fmt::format(
          "the kernel does not let you signal {}: it is of another user\n",
          printable(each->description()));
        result = exit_nothing;
        break;
    }
  }
  return result;
}

} // namespace troupe::command
