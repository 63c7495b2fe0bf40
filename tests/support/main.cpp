// SPDX-License-Identifier: BSL-1.0
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <troupe/process/process.hpp>
#include <troupe/process/program.hpp>

#include <support/leftovers.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace {

/// Looks after each case whether it has left something behind.
class leftovers_listener : public doctest::IReporter {
public:
  explicit leftovers_listener(const doctest::ContextOptions&) {
  }

  /// What the cases have left behind; empty: nothing.
  static std::string& found() {
    static std::string text;
    return text;
  }

  void test_case_start(const doctest::TestCaseData& which) override {
    name_ = which.m_name;
    before_ = troupe::test::inventory::take();
    if (first_) {
      at_first_ = before_;
      first_ = false;
    }
    // These are kept from case to case.
    before_.descriptors = at_first_.descriptors;
    before_.threads = at_first_.threads;
  }

  void test_case_reenter(const doctest::TestCaseData&) override {
  }

  void test_case_end(const doctest::CurrentTestCaseStats&) override {
    for (const auto& [kind, count] : troupe::test::take_allowed())
      before_.objects[kind] += count;
    if (const auto left = troupe::test::leftovers(before_); !left.empty())
      found() += "\"" + name_ + "\": " + left + "\n";
  }

  void report_query(const doctest::QueryData&) override {
  }
  void test_run_start() override {
  }
  void test_run_end(const doctest::TestRunStats&) override {
  }
  void test_case_exception(const doctest::TestCaseException&) override {
  }
  void subcase_start(const doctest::SubcaseSignature&) override {
  }
  void subcase_end() override {
  }
  void log_assert(const doctest::AssertData&) override {
  }
  void log_message(const doctest::MessageData&) override {
  }
  void test_case_skipped(const doctest::TestCaseData&) override {
  }

private:
  std::string name_;
  troupe::test::inventory before_;
  troupe::test::inventory at_first_;
  bool first_ = true;
};

REGISTER_LISTENER("leftovers", 1, leftovers_listener);

} // namespace

/// Runs the tests in the root of a run. Fails if a case leaves a process, a
/// shared object, a file, a descriptor or a thread behind. With `--spawn` its
/// processes are executed anew and not forked.
int main(int argc, char** argv) {
  if (std::find(argv, argv + argc, std::string_view{"--spawn"}) != argv + argc)
    troupe::set_start_method(troupe::start_method::spawn);
  doctest::Context context{argc, argv};
  int result = 0;
  {
    troupe::program program{argc, argv};
    result = context.run();
    if (context.shouldExit())
      return result;
    if (const auto& left = leftovers_listener::found(); !left.empty()) {
      std::cerr << "tests left something behind:\n" << left << std::flush;
      result = result == 0 ? EXIT_FAILURE : result;
    }
  }
  return result;
}
