// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/crash_point.hpp>

#include <troupe/os/environment.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>

#include <unistd.h>

namespace troupe::os {

namespace {

// Stored with release by `arm_crash_point`, behind the name in `armed`; read
// with acquire by `reach_crash_point`, which counts it down with acq_rel: one
// thread alone brings it from 1 to 0.
constinit std::atomic<unsigned> left{0};
constinit std::array<char, 128> armed{};

const bool armed_by_environment = [] {
  const char* wanted = environment_value("TROUPE_CRASH_POINT");
  if (wanted == nullptr)
    return false;
  const std::string_view text{wanted};
  const auto colon = text.find(':');
  const auto count = colon == std::string_view::npos
                       ? 1
                       : std::strtoul(wanted + colon + 1, nullptr, 10);
  arm_crash_point(text.substr(0, colon), static_cast<unsigned>(count));
  return true;
}();

} // namespace

void arm_crash_point(std::string_view name, unsigned countdown) noexcept {
  left.store(0, std::memory_order_release);
  if (name.empty() || countdown == 0 || name.size() >= armed.size())
    return;
  *std::copy(name.begin(), name.end(), armed.begin()) = 0;
  // release: pairs with the acquire in reach_crash_point.
  left.store(countdown, std::memory_order_release);
}

void reach_crash_point(const char* name) noexcept {
  if (left.load(std::memory_order_acquire) == 0
      || std::string_view{name} != armed.data())
    return;
  if (left.fetch_sub(1, std::memory_order_acq_rel) == 1)
    ::kill(::getpid(), SIGKILL);
}

} // namespace troupe::os
