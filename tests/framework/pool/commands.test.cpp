// SPDX-License-Identifier: BSL-1.0

// Commands in tasks: what becomes of them with their task.

#include <troupe/pool/pool.hpp>
#include <troupe/process/run_command.hpp>

#include <support/eventually.hpp>
#include <support/processes.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using troupe::test::eventually;
using troupe::test::running_with;
using troupe::test::unique_seconds;

namespace {

int run_script(const std::string& mark) {
  return troupe::run_command(
           {"sh", "-c", "sleep " + mark + " & sleep " + mark + "; :"})
    .status.code();
}

int run_fast(int code) {
  return troupe::run_command({"sh", "-c", "exit " + std::to_string(code)})
    .status.code();
}

bool runs(const std::string& mark) {
  return eventually([&] { return running_with(mark) == 3; });
}

bool is_gone(const std::string& mark) {
  return eventually([&] { return running_with(mark) == 0; });
}

} // namespace

TEST_CASE("a command ends with its worker at the hard limit") {
  troupe::pool pool{{.size = 1, .hard_limit = 300ms}};
  const auto mark = unique_seconds();
  CHECK_THROWS_AS(pool.apply<run_script>(mark), troupe::timed_out);
  CHECK(is_gone(mark));
}

TEST_CASE(
  "a command ends when its task is cancelled, or out of its soft limit") {
  troupe::pool pool{{.size = 1}};
  const auto mark = unique_seconds();
  auto task = pool.apply_async<run_script>(mark);
  CHECK(runs(mark));
  static_cast<void>(task.cancel());
  CHECK_THROWS_AS(task.get(), troupe::error);
  CHECK(is_gone(mark));
  CHECK(pool.apply<run_fast>(7) == 7);
  troupe::pool soft{{.size = 1, .soft_limit = 300ms}};
  CHECK_THROWS_AS(soft.apply<run_script>(mark), troupe::error);
  CHECK(is_gone(mark));
}

TEST_CASE("a command ends with its killed task and with its pool") {
  troupe::pool pool{{.size = 1}};
  const auto mark = unique_seconds();
  auto task = pool.apply_async<run_script>(mark);
  CHECK(runs(mark));
  static_cast<void>(task.kill());
  CHECK_THROWS_AS(task.get(), troupe::error);
  CHECK(is_gone(mark));
  task = pool.apply_async<run_script>(mark);
  CHECK(runs(mark));
  pool.terminate();
  CHECK(is_gone(mark));
}
