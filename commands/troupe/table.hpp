// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::command {

/// Text in columns, each as wide as its widest cell.
class table {
public:
  explicit table(std::vector<std::string> headings);

  /// @param cells one for each heading
  void add(std::vector<std::string> cells);

  [[nodiscard]] bool empty() const noexcept {
    return rows_.size() == 1;
  }

  /// With a line end behind each row.
  [[nodiscard]] std::string text() const;

private:
  std::vector<std::vector<std::string>> rows_;
};

/// "312 B", "4.0 KiB", "1.5 GiB"
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

/// "0.3 s", "12 s", "4 min 10 s", "3 h 5 min"
[[nodiscard]] std::string duration_text(std::int64_t nanoseconds);

/// "0", "0.4", "12", "3400000"
[[nodiscard]] std::string rate_text(double per_second);

/// What a terminal shows of a name that a program has chosen: letters that
/// control it are question marks.
[[nodiscard]] std::string printable(std::string text);

} // namespace troupe::command
