// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>

#include <array>
#include <cstdint>
#include <stop_token>

namespace troupe::hosting {

/// The tokens of a process for each set of signals.
class stop_sources {
public:
  /// The token of `set`, not empty.
  [[nodiscard]] std::stop_token token(std::uint32_t set) const noexcept {
    return sources_.at(set - 1).get_token();
  }

  /// Asks those to stop whose set has a signal of `came`. Runs their callbacks.
  void request(std::uint32_t came);

  /// Asks the one of `set` to stop.
  void request_one(std::uint32_t set) {
    sources_.at(set - 1).request_stop();
  }

  /// How many sets there are: 1 to this.
  static constexpr std::uint32_t count = 3;

private:
  std::array<std::stop_source, count> sources_;
};

/// Turns signals into stop requests in a process that has no root supervisor.
/// Never destroyed.
class listener {
public:
  /// Makes it at the first call, with its thread. Throws `os_failure`.
  [[nodiscard]] static listener& of_this_process();

  /// From now on this process listens to the signals of `set`.
  [[nodiscard]] std::stop_token token(std::uint32_t set);

  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

private:
  listener();
  ~listener() = default;

  void listen();

  os::descriptor event_;
  stop_sources sources_;
};

} // namespace troupe::hosting
