// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/process/start.hpp>

#include <chrono>
#include <cstddef>
#include <list>
#include <thread>
#include <utility>

/// Runs functions in threads, or in processes, so that one test serves both.
class crew {
public:
  enum kind { threads, processes };

  explicit crew(kind what) : what_(what) {
  }

  template <auto F, class... Args>
  void add(const Args&... args) {
    if (what_ == threads)
      threads_.emplace_back([=] { F(args...); });
    else
      processes_.push_back(troupe::start<F>(args...));
  }

  /// Waits for all of them. False: one did not end as it should.
  [[nodiscard]] bool join() {
    threads_.clear();
    bool good = true;
    for (auto& each : processes_)
      good = each.join().success() && good;
    processes_.clear();
    return good;
  }

private:
  kind what_;
  std::list<std::jthread> threads_;
  std::list<troupe::process> processes_;
};

inline constexpr crew::kind both_kinds[] = {crew::threads, crew::processes};

/// How long it takes to call `f`.
template <class F>
std::chrono::steady_clock::duration time_of(F f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::steady_clock::now() - start;
}
