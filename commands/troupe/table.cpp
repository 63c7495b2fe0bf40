// SPDX-License-Identifier: BSL-1.0
#include "table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace troupe::command {

table::table(std::vector<std::string> headings) {
  rows_.push_back(std::move(headings));
}

void table::add(std::vector<std::string> cells) {
  for (auto& each : cells)
    each = printable(std::move(each));
  rows_.push_back(std::move(cells));
}

std::string table::text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  std::string result;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += i + 1 == row.size() ? row[i]
                                  : fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + '\n';
  }
  return result;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < units.size(); ++unit)
    amount /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes)
                   : fmt::format("{:.1f} {}", amount, units[unit]);
}

std::string duration_text(std::int64_t nanoseconds) {
  const auto seconds = std::max<std::int64_t>(nanoseconds, 0) / 1'000'000'000;
  if (seconds < 10)
    return fmt::format("{:.1f} s", static_cast<double>(nanoseconds) / 1e9);
  if (seconds < 60)
    return fmt::format("{} s", seconds);
  if (seconds < 3600)
    return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

std::string rate_text(double per_second) {
  return per_second > 0 && per_second < 10 ? fmt::format("{:.1f}", per_second)
                                           : fmt::format("{:.0f}", per_second);
}

std::string printable(std::string text) {
  for (auto& each : text)
    if (static_cast<unsigned char>(each) < 0x20 || each == 0x7F)
      each = '?';
  return text;
}

} // namespace troupe::command
