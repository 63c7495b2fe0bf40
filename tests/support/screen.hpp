// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::test {

/// What a terminal of the kind vt100 shows of what was written to it; colours
/// and the like are dropped. Each letter takes one column.
class screen {
public:
  screen(std::size_t rows, std::size_t columns)
    : columns_(columns),
      cells_(rows, std::vector<std::string>(columns, blank_)) {
  }

  /// Shows all of `written`, from an empty screen on.
  void show(std::string_view written) {
    for (auto& each : cells_)
      std::fill(each.begin(), each.end(), blank_);
    row_ = column_ = 0;
    wraps_ = false;
    for (std::size_t at = 0; at < written.size();)
      at += obey(written.substr(at));
  }

  /// The lines, without blanks at their ends.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> result;
    for (const auto& each : cells_) {
      std::string line;
      for (const auto& cell : each)
        line += cell;
      line.erase(line.find_last_not_of(' ') + 1);
      result.push_back(std::move(line));
    }
    return result;
  }

  [[nodiscard]] std::string text() const {
    std::string result;
    for (const auto& each : lines())
      result += each + '\n';
    return result;
  }

private:
  /// Does what stands at the beginning; returns how many bytes that was.
  std::size_t obey(std::string_view left) {
    const auto first = static_cast<unsigned char>(left.front());
    if (first == 0x1B)
      return obey_escape(left);
    if (first >= 0x20)
      return put(left);
    switch (first) {
      case '\r': column_ = 0; break;
      case '\n': row_ = std::min(row_ + 1, cells_.size() - 1); break;
      case '\b': column_ -= column_ > 0 ? 1 : 0; break;
      case '\t': column_ = std::min((column_ / 8 + 1) * 8, columns_ - 1); break;
      default: break;
    }
    wraps_ = false;
    return 1;
  }

  std::size_t put(std::string_view left) {
    std::size_t size = 1;
    while (size < left.size()
           && (static_cast<unsigned char>(left[size]) & 0xC0) == 0x80)
      ++size;
    if (wraps_) {
      column_ = 0;
      row_ = std::min(row_ + 1, cells_.size() - 1);
    }
    cells_[row_][column_] = left.substr(0, size);
    wraps_ = column_ + 1 == columns_;
    column_ += wraps_ ? 0 : 1;
    return size;
  }

  std::size_t obey_escape(std::string_view left) {
    if (left.size() < 2)
      return left.size();
    if (left[1] == '(' || left[1] == ')')
      return std::min<std::size_t>(3, left.size());
    if (left[1] != '[')
      return 2;
    const auto end = left.find_first_not_of("0123456789;?", 2);
    if (end == left.npos)
      return left.size();
    std::vector<std::size_t> numbers;
    for (std::size_t at = 2; at <= end; ++at) {
      if (at == 2 || left[at - 1] == ';')
        numbers.push_back(0);
      if (left[at] >= '0' && left[at] <= '9')
        numbers.back() = numbers.back() * 10
                         + static_cast<std::size_t>(left[at] - '0');
    }
    obey_sequence(left[end], numbers);
    return end + 1;
  }

  void obey_sequence(char what, const std::vector<std::size_t>& numbers) {
    const auto number = [&](std::size_t index) {
      return index < numbers.size() ? numbers[index] : 0;
    };
    const auto distance = std::max<std::size_t>(number(0), 1);
    auto& line = cells_[row_];
    const auto here = line.begin() + static_cast<std::ptrdiff_t>(column_);
    switch (what) {
      case 'H':
      case 'f':
        row_ = std::clamp<std::size_t>(number(0), 1, cells_.size()) - 1;
        column_ = std::clamp<std::size_t>(number(1), 1, columns_) - 1;
        break;
      case 'A': row_ -= std::min(row_, distance); break;
      case 'B': row_ = std::min(row_ + distance, cells_.size() - 1); break;
      case 'C': column_ = std::min(column_ + distance, columns_ - 1); break;
      case 'D': column_ -= std::min(column_, distance); break;
      case 'K':
        if (number(0) == 1)
          std::fill(line.begin(), here + 1, blank_);
        else
          std::fill(number(0) == 2 ? line.begin() : here, line.end(), blank_);
        break;
      case 'J':
        if (number(0) == 0)
          std::fill(here, line.end(), blank_);
        for (std::size_t each = number(0) == 0 ? row_ + 1 : 0;
             each < cells_.size(); ++each)
          std::fill(cells_[each].begin(), cells_[each].end(), blank_);
        break;
      default: return;
    }
    wraps_ = false;
  }

  inline static const std::string blank_{" "};

  std::size_t columns_;
  std::vector<std::vector<std::string>> cells_;
  std::size_t row_ = 0;
  std::size_t column_ = 0;
  /// The next letter stands in the next line.
  bool wraps_ = false;
};

} // namespace troupe::test
