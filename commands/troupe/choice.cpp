// SPDX-License-Identifier: BSL-1.0
#include "choice.hpp"

#include "table.hpp"

#include <troupe/os/proc.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace troupe::command {

namespace {

constexpr std::chrono::milliseconds between_looks{150};

std::string refused_text(std::size_t refused) {
  if (refused == 0)
    return {};
  return fmt::format(" Of {} {} the kernel does not let you see what they have "
                     "open: they are of "
                     "another user, or may not be dumped (setuid, "
                     "PR_SET_DUMPABLE). Look as that "
                     "user or as root.",
                     refused, refused == 1 ? "process" : "processes");
}

inspection::snapshot look_once_at(const inspection::run_entry& run) {
  auto result = inspection::look_at(run.file);
  if (!result.seen)
    throw refusal(fmt::format("{}: {}.", describe(run), result.refusal));
  return std::move(*result.seen);
}

} // namespace

std::vector<inspection::run_entry> runs_for(std::optional<std::int32_t> pid) {
  std::size_t refused = 0;
  auto runs = inspection::find_runs(refused);
  if (!pid) {
    if (runs.empty())
      throw refusal("there is no run of a program that uses Troupe."
                    + refused_text(refused));
    return runs;
  }
  std::erase_if(runs, [&](const auto& each) {
    return std::find(each.pids.begin(), each.pids.end(), *pid)
           == each.pids.end();
  });
  if (!runs.empty())
    return runs;
  const auto fact = os::fact_of(*pid);
  if (!fact)
    throw refusal(fmt::format("there is no process {}.", *pid));
  if (os::open_memory_file_of(*pid, "troupe-run").refused)
    throw refusal(fmt::format(
      "the kernel does not let you look at process {} ({}): it is of the user "
      "{}, or may not be dumped (setuid, PR_SET_DUMPABLE). Look as that user "
      "or "
      "as root.",
      *pid, printable(fact->command), os::user_name(fact->user)));
  throw refusal(fmt::format("process {} ({}) belongs to no run of Troupe.",
                            *pid, printable(fact->command)));
}

inspection::run_entry one_run_for(std::optional<std::int32_t> pid) {
  auto runs = runs_for(pid);
  if (runs.size() == 1)
    return std::move(runs.front());
  std::string text = "there are several runs; choose one with --run PID:";
  for (const auto& each : runs)
    text += fmt::format("\n  {}", describe(each));
  throw refusal(text);
}

looked look_at(const inspection::run_entry& run) {
  auto first = look_once_at(run);
  if (!inspection::find_stalls(first).any())
    return {std::move(first), {}, std::nullopt};
  std::this_thread::sleep_for(between_looks);
  auto second = look_once_at(run);
  auto stalls = inspection::find_stalls(first, second);
  return {std::move(second), std::move(stalls), std::nullopt};
}

looked look_twice_at(const inspection::run_entry& run,
                     std::optional<inspection::snapshot> earlier) {
  if (!earlier)
    earlier = look_once_at(run);
  const auto since = std::chrono::steady_clock::now() - earlier->taken;
  if (since < between_looks)
    std::this_thread::sleep_for(between_looks - since);
  auto second = look_once_at(run);
  auto stalls = inspection::find_stalls(*earlier, second);
  return {std::move(second), std::move(stalls), std::move(earlier)};
}

const inspection::process_record& find_process(const inspection::snapshot& of,
                                               const std::string& pid_or_name) {
  const inspection::process_record* found = nullptr;
  for (const auto& each : of.processes) {
    if (each.state == memory::slot_state::dead
        || (std::to_string(each.pid) != pid_or_name
            && each.name != pid_or_name))
      continue;
    if (found != nullptr)
      throw refusal(fmt::format("several processes are named {}: {} and {}; "
                                "say which by its number.",
                                pid_or_name, found->description(),
                                each.description()));
    found = &each;
  }
  if (found == nullptr)
    throw refusal(
      fmt::format("the run has no living process {}.", pid_or_name));
  return *found;
}

std::string describe(const inspection::run_entry& run) {
  const auto pid = run.pids.empty() ? 0 : run.pids.front();
  const auto fact = os::fact_of(pid);
  return fmt::format("run of {} (pid {}), user {}, {} {}",
                     fact ? printable(fact->command) : "?", pid,
                     os::user_name(run.user), run.pids.size(),
                     run.pids.size() == 1 ? "process" : "processes");
}

} // namespace troupe::command
