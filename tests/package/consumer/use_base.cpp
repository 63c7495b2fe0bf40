// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>

#include <string_view>

int main() {
  const auto error = troupe::closed("put into a queue", "its readers are gone");
  return std::string_view{error.what()}.find("queue") == std::string_view::npos;
}
