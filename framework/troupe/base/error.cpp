// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>

#include <cerrno>
#include <system_error>

namespace troupe {

namespace {

std::string sentence(std::string_view attempted, std::string_view reason,
                     std::string_view advice) {
  std::string text{attempted};
  text.append(": ").append(reason);
  if (!advice.empty())
    text.append("; ").append(advice);
  return text;
}

} // namespace

error::error(errc code, std::string_view attempted, std::string_view reason,
             std::string_view advice, int os_error)
  : std::runtime_error(sentence(attempted, reason, advice)),
    code_(code),
    os_error_(os_error) {
}

os_failure::os_failure(std::string_view attempted, std::string_view advice)
  : os_failure(attempted, advice, errno) {
}

os_failure::os_failure(std::string_view attempted, std::string_view advice,
                       int os_error)
  : error_of(attempted, std::generic_category().message(os_error), advice,
             os_error) {
}

} // namespace troupe
