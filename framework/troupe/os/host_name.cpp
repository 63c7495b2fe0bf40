// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/host_name.hpp>

#include <array>

#include <unistd.h>

namespace troupe::os {

std::string host_name() {
  std::array<char, 256> text{};
  if (::gethostname(text.data(), text.size() - 1) != 0)
    return {};
  std::string name{text.data()};
  return name.substr(0, name.find('.'));
}

} // namespace troupe::os
