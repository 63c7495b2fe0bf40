// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/run_command.hpp>

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/process/running_command.hpp>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <utility>

namespace troupe {

namespace {

// seq_cst, and relaxed would do: a function that is always there, set by a
// worker of a pool, read by `run_command`.
std::atomic<std::stop_token (*)()> default_stop{nullptr};

void require_text(const std::vector<std::string>& words,
                  std::string_view attempted) {
  for (const auto& word : words)
    if (word.find('\0') != std::string::npos)
      throw invalid_argument(attempted, "a word of it has a zero byte",
                             "pass bytes as command_options::input");
}

void check(const std::vector<std::string>& command,
           const command_options& options) {
  if (command.empty() || command.front().empty())
    throw invalid_argument("run a command", "it names no program",
                           "let the first word be the program's name");
  const auto attempted = "run " + command.front();
  require_text(command, attempted);
  require_text({options.directory}, attempted);
  require_text(options.environment, attempted);
  if (std::ranges::any_of(options.environment, [](const auto& each) {
        return each.empty() || each.front() == '=';
      }))
    throw invalid_argument(attempted,
                           "a variable of its environment has no "
                           "name",
                           "write \"NAME=value\", or \"NAME\" to unset it");
}

} // namespace

command_result run_command(const std::vector<std::string>& command,
                           command_options options) {
  check(command, options);
  if (auto* const token = default_stop.load();
      token != nullptr && !options.stop.stop_possible())
    options.stop = token();
  return hosting::running_command{command, options}.finish();
}

void hosting::set_default_stop_of_commands(
  std::stop_token (*token)()) noexcept {
  default_stop.store(token);
}

} // namespace troupe
