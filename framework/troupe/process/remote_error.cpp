// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/remote_error.hpp>

namespace troupe {

namespace {

std::string reason_of(const exit_status& status) {
  auto text = "the process " + status.description();
  if (!status.last_lines().empty())
    text += "; its last lines on standard error:\n" + status.last_lines();
  return text;
}

} // namespace

remote_error::remote_error(std::string process_name, std::int32_t pid,
                           exit_status status)
  : error(status.threw() ? errc::remote_exception : errc::process_died,
          "get the result of process " + process_name + " ("
            + std::to_string(pid) + ")",
          reason_of(status)),
    process_name_(std::move(process_name)),
    pid_(pid),
    status_(std::move(status)) {
}

} // namespace troupe
