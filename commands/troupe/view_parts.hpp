// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "views.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What several views are made of.
namespace troupe::command {

/// How long ago that was when the look was taken, in nanoseconds.
[[nodiscard]] std::int64_t age(const inspection::snapshot& of,
                               inspection::time_point since);

/// What its threads wait for, its main thread's first.
[[nodiscard]] std::vector<const inspection::wait_record*>
waits_of(const inspection::snapshot& of,
         const inspection::process_record& process);

/// The same in one line.
[[nodiscard]] std::string waits_text(const inspection::snapshot& of,
                                     const inspection::process_record& process);

/// "accounts (pid 42)"
[[nodiscard]] std::string name_of(const inspection::snapshot& of,
                                  std::uint32_t slot);

[[nodiscard]] const char* state_text(memory::slot_state state);

/// Whether a signal or a debugger has stopped it.
[[nodiscard]] bool is_stopped(const inspection::process_record& process);

/// The first line of what is said of a run.
[[nodiscard]] std::string head_line(const inspection::snapshot& of);

[[nodiscard]] json run_data(const inspection::snapshot& of);

/// How much more something has become in a second, between the two looks; 0
/// where there was one.
[[nodiscard]] double rate(const looked& of, std::uint64_t before,
                          std::uint64_t now);

} // namespace troupe::command
