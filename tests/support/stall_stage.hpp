// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/inspection/stalls.hpp>
#include <troupe/os/memory_file.hpp>
#include <troupe/os/proc.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::test {

/// A program whose cases stand still, or look so, looked at from outside.
class stall_stage {
public:
  stall_stage(const char* program, const char* scene)
    : program_({beside_this_program(program), scene}) {
    REQUIRE(program_.wait_for("begins"));
    run_ = run_of(program_.pid());
    file_ = os::open_memory_file_of(program_.pid(), "troupe-run").file;
    REQUIRE(file_);
  }

  stall_stage(const stall_stage&) = delete;
  stall_stage& operator=(const stall_stage&) = delete;

  ~stall_stage() {
    program_.signal(SIGKILL);
    program_.wait();
    CHECK(eventually([&] { return members_of(run_).empty(); }));
  }

  [[nodiscard]] inspection::snapshot look() const {
    auto result = inspection::look_at(file_);
    REQUIRE(result.seen);
    CHECK(result.seen->damage.empty());
    return std::move(*result.seen);
  }

  /// What two looks agree about, in one text.
  [[nodiscard]] std::string stalls() const {
    const auto first = look();
    // Time: in which a program that goes on changes something.
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    const auto second = look();
    const auto found = inspection::find_stalls(first, second);
    std::string result;
    for (const auto& each : inspection::sentences(second, found))
      result += each + "\n";
    return result;
  }

  /// Whether it is found soon that the program stands still, in a text with all
  /// of these.
  [[nodiscard]] bool is_found(const std::vector<std::string>& parts) const {
    std::string text;
    const bool found = eventually([&] {
      text = stalls();
      for (const auto& part : parts)
        if (text.find(part) == std::string::npos)
          return false;
      return !text.empty();
    });
    if (!found)
      MESSAGE(text << describe());
    return found;
  }

  /// Whether, once so many threads wait, it is never said to stand still.
  [[nodiscard]] bool is_left_alone(std::size_t threads) const {
    if (!eventually([&] {
          std::size_t waiting = 0;
          for (const auto& each : look().waits)
            waiting += memory::is_own_wait(each.kind) ? 0 : 1;
          return waiting >= threads;
        })) {
      MESSAGE("too few wait" << describe());
      return false;
    }
    for (int turn = 0; turn < 10; ++turn)
      if (const auto text = stalls(); !text.empty()) {
        MESSAGE(text);
        return false;
      }
    return true;
  }

private:
  [[nodiscard]] std::string describe() const {
    const auto now = look();
    std::string result = "\nwhat it does:\n";
    for (const auto& each : now.waits)
      result += inspection::sentence(now, each) + (each.woken ? " (woken)" : "")
                + (each.open ? " (open)" : "") + "\n";
    for (const auto& each : now.processes)
      for (const auto& thread : each.threads)
        result += each.description() + " " + std::to_string(thread.id) + " "
                  + thread.state + "\n";
    for (const auto pid : now.outsiders)
      result += "outsider " + std::to_string(pid) + "\n";
    return result;
  }

  launched program_;
  std::uint64_t run_ = 0;
  os::descriptor file_;
};

} // namespace troupe::test
