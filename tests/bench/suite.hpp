// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

using clock_type = std::chrono::steady_clock;

inline double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

inline double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  const auto middle = values.begin()
                      + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Calls `measure` some times and returns the median of what it says.
template <class Measure>
double median_of(int turns, Measure measure) {
  std::vector<double> values;
  for (int turn = 0; turn < turns; ++turn)
    values.push_back(measure());
  return median(std::move(values));
}

/// Calls `work` for some seconds and returns how many each call took.
template <class Work>
double mean_time(double seconds, Work work) {
  constexpr int at_once = 16;
  long calls = 0;
  const auto start = clock_type::now();
  double passed = 0;
  do {
    for (int i = 0; i < at_once; ++i)
      work();
    calls += at_once;
    passed = seconds_since(start);
  } while (passed < seconds);
  return passed / static_cast<double>(calls);
}

/// Memory of a process, shared pages by share; 0 where that cannot be read.
inline double proportional_mebibytes(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/smaps_rollup"};
  std::string word;
  double kibibytes = 0;
  while (file >> word)
    if (word == "Pss:" && file >> kibibytes)
      return kibibytes / 1024;
  return 0;
}

/// What a program of tests/bench measures: its words to tests/bench/run.
///
/// A line is `SUITE METRIC VALUE UNIT`. What has peers is called `what.troupe`,
/// and the same thing elsewhere `what.peer`, in the same unit. Figures to reach
/// come at the end, with `>= LIMIT` or `<= LIMIT` and whether that is so.
///
/// Arguments: `--smoke` (only see whether it works), `--only TEXT` (metrics
/// whose name contains it).
class suite {
public:
  suite(std::string name, int argc, char** argv) : name_(std::move(name)) {
    for (int i = 1; i < argc; ++i) {
      smoke_ = smoke_ || std::string_view{argv[i]} == "--smoke";
      if (std::string_view{argv[i]} == "--only" && i + 1 < argc)
        only_ = argv[++i];
    }
  }

  suite(const suite&) = delete;
  suite& operator=(const suite&) = delete;

  /// Prints the figures to reach.
  ~suite() {
    for (const auto& line : figures_)
      std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }

  [[nodiscard]] bool smoke() const noexcept {
    return smoke_;
  }

  /// Returns `full`, or in a smoke test `small`.
  template <class T>
  [[nodiscard]] T scaled(T full, T small) const noexcept {
    return smoke_ ? small : full;
  }

  /// Whether what starts like this is to be measured.
  [[nodiscard]] bool wants(std::string_view metric) const {
    return metric.find(only_) != std::string_view::npos;
  }

  void report(const std::string& metric, double value, const char* unit) {
    values_[metric] = {value, unit};
    std::printf("%s %s %.4g %s\n", name_.c_str(), metric.c_str(), value, unit);
    std::fflush(stdout);
  }

  /// Says that a peer is not measured, and why.
  void absent(const std::string& peer, const std::string& why) const {
    std::printf("# %s: no %s: %s\n", name_.c_str(), peer.c_str(), why.c_str());
    std::fflush(stdout);
  }

  /// The figure to reach: `metric` is at least `limit`, or at least `limit`
  /// times what `peer` is. Nothing where one of them was not measured.
  void at_least(double limit, const std::string& metric,
                const std::string& peer = {}) {
    figure(metric, peer, ">=", limit);
  }

  void at_most(double limit, const std::string& metric,
               const std::string& peer = {}) {
    figure(metric, peer, "<=", limit);
  }

  /// A ratio to be shown without one that is to be reached.
  void compare(const std::string& metric, const std::string& peer) {
    figure(metric, peer, nullptr, 0);
  }

private:
  struct measured {
    double value = 0;
    const char* unit = nullptr;
  };

  void figure(const std::string& metric, const std::string& peer,
              const char* sign, double limit) {
    auto found = values_.find(metric);
    if (found == values_.end())
      return;
    auto [value, unit] = found->second;
    auto line = name_ + ' ' + metric;
    if (!peer.empty()) {
      found = values_.find(peer);
      if (found == values_.end() || found->second.value <= 0)
        return;
      value /= found->second.value;
      unit = "ratio";
      line.append("/").append(peer.substr(peer.rfind('.') + 1));
    }
    char text[96];
    if (sign == nullptr) {
      std::snprintf(text, sizeof text, " %.4g %s", value, unit);
    } else {
      const bool reached = sign[0] == '>' ? value >= limit : value <= limit;
      std::snprintf(text, sizeof text, " %.4g %s %s %.4g %s", value, unit, sign,
                    limit, reached ? "reached" : "missed");
    }
    figures_.push_back(line + text);
  }

  std::string name_;
  std::string only_;
  bool smoke_ = false;
  std::map<std::string, measured> values_;
  std::vector<std::string> figures_;
};

} // namespace bench
