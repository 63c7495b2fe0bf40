// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/runtime/spawn.hpp>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace troupe {

/// When a supervisor restarts a child that has ended.
enum class restart : std::uint8_t {
  /// Always.
  permanent,
  /// If it ended otherwise than by itself: of an error, or with its process.
  transient,
  /// Never; it is forgotten.
  temporary,
};

/// How a supervisor ends a child.
class shutdown {
public:
  /// Tell it to end, and kill its process when `limit` has passed.
  [[nodiscard]] static shutdown within(std::chrono::nanoseconds limit) {
    return shutdown{limit};
  }

  /// Kill its process at once.
  [[nodiscard]] static shutdown kill() {
    return shutdown{std::chrono::nanoseconds{0}};
  }

  /// Tell it to end, and wait however long it takes: for supervisors.
  [[nodiscard]] static shutdown infinity() {
    return shutdown{std::nullopt};
  }

  /// Nothing for `infinity`.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> limit() const noexcept {
    return limit_;
  }

private:
  explicit shutdown(std::optional<std::chrono::nanoseconds> limit) noexcept
    : limit_(limit) {
  }

  std::optional<std::chrono::nanoseconds> limit_;
};

/// What a supervisor knows of a child: Erlang's child specification.
///
///     troupe::child<counter>("counter", 10)
///       .restarted(troupe::restart::transient)
///       .shut_down(troupe::shutdown::within(2s))
///
/// It stays in the supervisor's process; it is no message.
struct child_spec {
  std::string id;
  /// Makes the child, in a process of its own or wherever it says.
  std::function<caf::actor()> start;
  enum restart restart = restart::permanent;
  class shutdown shutdown = shutdown::within(std::chrono::seconds{5});
  /// Whether the child is a supervisor itself.
  bool supervises = false;

  [[nodiscard]] child_spec restarted(enum restart when) && {
    restart = when;
    return std::move(*this);
  }

  [[nodiscard]] child_spec shut_down(class shutdown how) && {
    shutdown = how;
    return std::move(*this);
  }
};

/// A child that is the actor `F(args...)` in a process of its own, as `spawn`
/// makes it. What cannot be sent does not compile.
template <auto F, class... Args>
[[nodiscard]] child_spec child(std::string id, Args... args) {
  child_spec result;
  result.id = std::move(id);
  result.start = [values = std::tuple<Args...>{std::move(args)...}] {
    return std::apply(
      [](const auto&... each) {
        return caf::actor_cast<caf::actor>(troupe::spawn<F>(each...));
      },
      values);
  };
  return result;
}

} // namespace troupe
