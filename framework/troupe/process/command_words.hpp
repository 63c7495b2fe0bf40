// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace troupe::hosting {

/// The environment of this process with what `changes` says:
/// `command_options::environment`.
[[nodiscard]] std::vector<std::string>
environment_of_command(const std::vector<std::string>& changes);

/// The files that may be meant by the program `name`, in the order in which
/// they are tried: itself if it has a slash, else one in each directory of
/// PATH, as `environment` says.
[[nodiscard]] std::vector<std::string>
files_of_program(const std::string& name,
                 const std::vector<std::string>& environment);

/// What to do about the program `name`, which could not be executed.
[[nodiscard]] std::string advice_for(const std::string& name, int os_error);

} // namespace troupe::hosting
