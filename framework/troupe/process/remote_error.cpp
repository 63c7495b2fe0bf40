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
    thrown_(status_.exception()),
    last_lines_(status_.last_lines()) {
}

remote_error::remote_error(std::string where, calls::failure thrown)
  : error(errc::remote_exception, "call " + where, thrown.description()),
    process_name_(std::move(where)),
    thrown_(std::move(thrown)) {
}

remote_error::remote_error(std::string process_name, std::int32_t pid,
                           calls::failure thrown, std::string last_lines)
  : error(errc::remote_exception,
          "run a task in worker " + process_name + " (" + std::to_string(pid)
            + ")",
          thrown.description()),
    process_name_(std::move(process_name)),
    pid_(pid),
    thrown_(std::move(thrown)),
    last_lines_(std::move(last_lines)) {
}

namespace hosting {

namespace {

/// `outer` with `inner` inside of it, as `std::throw_with_nested` makes it.
std::exception_ptr around(remote_error outer, const std::exception_ptr& inner) {
  try {
    std::rethrow_exception(inner);
  } catch (...) {
    try {
      std::throw_with_nested(std::move(outer));
    } catch (...) {
      return std::current_exception();
    }
  }
}

} // namespace

std::exception_ptr with_causes(remote_error what) {
  std::exception_ptr inner;
  const auto& causes = what.causes();
  for (auto each = causes.rbegin(); each != causes.rend(); ++each) {
    remote_error one{what.process_name(),
                     {errc::remote_exception,
                      each->type,
                      each->text,
                      {each.base(), causes.end()}}};
    inner = inner ? around(std::move(one), inner)
                  : std::make_exception_ptr(std::move(one));
  }
  return inner ? around(std::move(what), inner)
               : std::make_exception_ptr(std::move(what));
}

void raise(remote_error what) {
  std::rethrow_exception(with_causes(std::move(what)));
}

} // namespace hosting

} // namespace troupe
