// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/inspection/snapshot.hpp>
#include <troupe/inspection/stalls.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::command {

/// What the command ends with.
enum exit_code : int {
  exit_good = 0,
  /// There is no run, or no such process, or the kernel refuses.
  exit_nothing = 1,
  exit_usage = 2,
  /// Something stands still.
  exit_stalled = 3,
};

/// Why a command does not do what it was asked; a sentence for the user.
class refusal : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// A run, and what two looks at it say.
struct looked {
  inspection::snapshot run;
  inspection::stall_report stalls;
  /// An earlier look, where it is told what has changed since.
  std::optional<inspection::snapshot> before;
};

/// The runs that the user may mean: all that may be seen, or the one that has
/// the process `pid`. Throws `refusal` where there is none.
[[nodiscard]] std::vector<inspection::run_entry>
runs_for(std::optional<std::int32_t> pid);

/// The same for a command that needs one: throws `refusal`, which lists them,
/// where there are several.
[[nodiscard]] inspection::run_entry
one_run_for(std::optional<std::int32_t> pid);

/// Looks once, and once more where something may stand still. Throws `refusal`.
[[nodiscard]] looked look_at(const inspection::run_entry& run);

/// Looks twice, the first time now unless an `earlier` look is given.
/// Throws `refusal`.
[[nodiscard]] looked
look_twice_at(const inspection::run_entry& run,
              std::optional<inspection::snapshot> earlier = std::nullopt);

/// The living process of that number or name. Throws `refusal` where there is
/// none, or several have the name.
[[nodiscard]] const inspection::process_record&
find_process(const inspection::snapshot& of, const std::string& pid_or_name);

/// "run of robots (pid 4210), 5 processes"
[[nodiscard]] std::string describe(const inspection::run_entry& run);

} // namespace troupe::command
