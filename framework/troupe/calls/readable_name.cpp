// SPDX-License-Identifier: BSL-1.0
#include <troupe/calls/readable_name.hpp>

#include <cstdlib>
#include <cxxabi.h>
#include <memory>

namespace troupe::calls {

std::string readable_name(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name{
    abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free};
  return name ? name.get() : mangled;
}

} // namespace troupe::calls
