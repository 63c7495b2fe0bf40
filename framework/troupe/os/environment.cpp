// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/environment.hpp>

#include <cstdlib>

#include <sys/auxv.h>

namespace troupe::os {

bool has_borrowed_rights() noexcept {
  return ::getauxval(AT_SECURE) != 0;
}

const char* environment_value(const char* name) noexcept {
  return has_borrowed_rights() ? nullptr : std::getenv(name);
}

std::optional<std::string> take_environment(const char* name,
                                            const char* instead) {
  std::optional<std::string> result;
  if (const char* value = environment_value(name))
    result = value;
  if (std::getenv(name) != nullptr)
    ::setenv(name, instead, 1);
  return result;
}

void forget_environment(const char* name) noexcept {
  ::unsetenv(name);
}

} // namespace troupe::os
