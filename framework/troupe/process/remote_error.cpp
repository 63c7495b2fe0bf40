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
    status_(std::move(status)),
    type_(status_.exception_type()),
    text_(status_.exception_text()),
    last_lines_(status_.last_lines()) {
}

remote_error::remote_error(std::string where, std::string type,
                           std::string text)
  : error(errc::remote_exception, "call " + where, type + ": " + text),
    process_name_(std::move(where)),
    type_(std::move(type)),
    text_(std::move(text)) {
}

remote_error::remote_error(std::string process_name, std::int32_t pid,
                           std::string type, std::string text,
                           std::string last_lines)
  : error(errc::remote_exception,
          "run a task in worker " + process_name + " (" + std::to_string(pid)
            + ")",
          type + ": " + text),
    process_name_(std::move(process_name)),
    pid_(pid),
    type_(std::move(type)),
    text_(std::move(text)),
    last_lines_(std::move(last_lines)) {
}

} // namespace troupe
