// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// When a supervisor restarts a child that has ended.
enum class restart : std::uint8_t {
  /// Always.
  permanent,
  /// If it ended otherwise than by itself: of an error, or with a process that
  /// was killed or exited with another code than 0.
  transient,
  /// Never; it is forgotten.
  temporary,
};

/// How a supervisor ends a child. What is killed is the whole process that the
/// child lives in; a child in the supervisor's own process is sent `kill`.
class shutdown {
public:
  /// Tell it to end, and kill its process when `limit` has passed. At least 0.
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

namespace supervision {

/// Of a child's specification what does not say how it is made.
struct child_policy {
  std::string id;
  enum restart restart = restart::permanent;
  class shutdown shutdown = shutdown::within(std::chrono::seconds{5});
  /// Whether the child is a supervisor itself.
  bool supervises = false;
  /// How long a start may take. Nothing: as long as it takes.
  std::optional<std::chrono::nanoseconds> start_limit = std::nullopt;
};

/// Throws `invalid_argument` for a child that cannot be supervised, which was
/// attempted as `attempted` says.
void check_policy(const child_policy& of, const std::string& attempted);

} // namespace supervision

} // namespace troupe
