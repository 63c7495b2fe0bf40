// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <system_error>
#include <thread>
#include <utility>

namespace troupe::os {

/// Throws the `os_failure` of a thread that the system refuses to make.
[[noreturn]] void throw_no_thread(const std::system_error& failure);

/// Starts a thread. Throws `os_failure`, which names the limit, where
/// `std::thread` throws `std::system_error`.
template <class Function>
[[nodiscard]] std::thread start_thread(Function&& function) {
  try {
    return std::thread{std::forward<Function>(function)};
  } catch (const std::system_error& failure) {
    throw_no_thread(failure);
  }
}

} // namespace troupe::os
