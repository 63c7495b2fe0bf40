// SPDX-License-Identifier: BSL-1.0
#include <troupe/calls/exception_cause.hpp>
#include <troupe/process/future.hpp>

#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using troupe::exception_cause;
using troupe::remote_error;
using troupe::test::beside_this_program;
using troupe::test::count;
using troupe::test::launched;

namespace {

/// An exception of a C library's wrapper that has no text.
struct silent : std::exception {
  [[nodiscard]] const char* what() const noexcept override {
    return nullptr;
  }
};

/// It must not be copied on its way out of a function.
struct uncopyable : std::runtime_error {
  uncopyable() : std::runtime_error{"as it was thrown"} {
  }
  uncopyable(const uncopyable& other) : std::runtime_error{other} {
    throw std::bad_alloc{};
  }
};

template <class F>
remote_error error_of(F function) {
  try {
    troupe::async(function).get();
  } catch (const remote_error& failure) {
    return failure;
  }
  return remote_error{"nothing was thrown", {}};
}

void open_file() {
  throw std::out_of_range{"no such file"};
}

void read_settings() {
  try {
    open_file();
  } catch (...) {
    std::throw_with_nested(std::runtime_error{"settings cannot be read"});
  }
}

void start_up() {
  try {
    read_settings();
  } catch (...) {
    std::throw_with_nested(std::logic_error{"the service does not start"});
  }
}

/// An exception with `depth` others inside.
void throw_deep(int depth) {
  if (depth == 0)
    throw std::runtime_error{"the innermost"};
  try {
    throw_deep(depth - 1);
  } catch (...) {
    std::throw_with_nested(
      std::runtime_error{"at depth " + std::to_string(depth)});
  }
}

} // namespace

TEST_CASE("an exception whose what is null has a type and an empty text") {
  const auto failure = error_of([] { throw silent{}; });
  CHECK(failure.code() == troupe::errc::remote_exception);
  CHECK(failure.type().ends_with("silent"));
  CHECK(failure.text().empty());
  const auto status = troupe::start([] { throw silent{}; }).join();
  CHECK(status.threw());
  CHECK(status.exception_text().empty());
  CHECK(status.description().starts_with("ended by exception "));
  CHECK(status.description().ends_with("silent"));
}

TEST_CASE("what is thrown need not be a std::exception") {
  CHECK(error_of([] { throw std::string{"as a string"}; }).text()
        == "as a string");
  CHECK(error_of([] { throw "as characters"; }).text() == "as characters");
  CHECK(
    error_of([] { throw static_cast<const char*>(nullptr); }).text().empty());
  const auto number = error_of([] { throw 42; });
  CHECK(number.type() == "int");
  CHECK(number.text() == "42");
  struct odd {};
  CHECK(error_of([] { throw odd{}; }).text() == "not a std::exception");
}

TEST_CASE("an exception that cannot be copied is told as any other") {
  const auto failure = error_of([] { throw uncopyable{}; });
  CHECK(failure.type().ends_with("uncopyable"));
  CHECK(failure.text() == "as it was thrown");
}

TEST_CASE("an exception inside of another one is told, and thrown from it") {
  const std::vector<exception_cause> causes{
    {"std::runtime_error", "settings cannot be read"},
    {"std::out_of_range", "no such file"}};
  const auto status = troupe::start([] { start_up(); }).join();
  CHECK(status.exception_type() == "std::logic_error");
  CHECK(status.exception_text() == "the service does not start");
  CHECK(status.causes() == causes);
  CHECK(status.description()
        == "ended by exception std::logic_error: the service does not start, "
           "caused by std::runtime_error: settings cannot be read, "
           "caused by std::out_of_range: no such file");
  auto result = troupe::async([] { start_up(); });
  try {
    result.get();
    FAIL("nothing was thrown");
  } catch (const remote_error& outer) {
    CHECK(outer.type() == "std::logic_error");
    CHECK(outer.text() == "the service does not start");
    CHECK(outer.causes() == causes);
    CHECK(std::string{outer.what()}.find(
            "caused by std::out_of_range: no such file")
          != std::string::npos);
    std::vector<exception_cause> inside;
    std::exception_ptr next = std::current_exception();
    while (next)
      try {
        std::rethrow_exception(std::exchange(next, nullptr));
      } catch (const remote_error& one) {
        inside.push_back({one.type(), one.text()});
        try {
          std::rethrow_if_nested(one);
        } catch (...) {
          next = std::current_exception();
        }
      }
    REQUIRE(inside.size() == 3);
    CHECK(inside[1] == causes[0]);
    CHECK(inside[2] == causes[1]);
  }
}

TEST_CASE("nesting of any depth is told within its bounds") {
  const auto failure = error_of([] { throw_deep(60); });
  CHECK(failure.text() == "at depth 60");
  REQUIRE_FALSE(failure.causes().empty());
  CHECK(failure.causes().size() <= troupe::calls::most_causes);
  CHECK(failure.causes().front().type == "std::runtime_error");
  const auto shallow = error_of([] { throw_deep(3); });
  REQUIRE(shallow.causes().size() == 3);
  CHECK(shallow.causes()[2].text == "the innermost");
}

TEST_CASE("causes are packed into little room, each with its share") {
  const std::vector<exception_cause> causes{{"type", std::string(1000, 'a')},
                                            {"other", "\xC3\xA4\xC3\xB6"},
                                            {"",
                                             std::string{"zero\0and\x1e", 9}}};
  const auto all = troupe::calls::unpack(troupe::calls::pack(causes, 100'000));
  REQUIRE(all.size() == 3);
  CHECK(all[0] == causes[0]);
  CHECK(all[1] == causes[1]);
  CHECK(all[2].text == "zero and ");
  for (std::size_t most = 0; most < 120; ++most) {
    const auto packed = troupe::calls::pack(causes, most);
    CHECK(packed.size() <= most);
    CHECK(packed.find('\0') == std::string::npos);
    for (const auto& each : troupe::calls::unpack(packed))
      if (each.type == "other")
        // Never half a character.
        CHECK(each.text.size() % 2 == 0);
  }
  CHECK(troupe::calls::unpack("").empty());
  CHECK(troupe::calls::unpack("no end").size() == 1);
}

TEST_CASE("text is cut between characters, and what is no text anywhere") {
  using troupe::calls::beginning_of;
  using troupe::calls::end_of;
  const std::string text = "a\xE2\x82\xAC"; // a euro sign behind an a
  CHECK(beginning_of(text, 4) == text);
  CHECK(beginning_of(text, 3) == "a");
  CHECK(beginning_of(text, 2) == "a");
  CHECK(beginning_of(text, 0).empty());
  CHECK(end_of(text, 4) == text);
  CHECK(end_of(text, 3) == "\xE2\x82\xAC");
  CHECK(end_of(text, 2).empty());
  const std::string binary(10, '\x80');
  CHECK(beginning_of(binary, 7).size() == 7);
  CHECK(end_of(binary, 7).size() == 7);
}

TEST_CASE("what a future tells is not written to standard error too") {
  launched program{{beside_this_program("process_role"), "told_by_future"}};
  CHECK(program.wait() == 0);
  const auto& text = program.output();
  CHECK(count(text, "told: the reason") == 1);
  CHECK(count(text, "the reason") == 1);
}

TEST_CASE("what nobody has asked a future for is written once") {
  launched program{{beside_this_program("process_role"), "unread_futures"}};
  CHECK(program.wait() == 0);
  const auto& text = program.output();
  for (const char* each : {"dropped", "waited for", "assigned to", "detached",
                           "of a plain process"})
    CHECK_MESSAGE(count(text, std::string{"std::runtime_error: "} + each) == 1,
                  text);
}

TEST_CASE("a future's process whose parent is gone writes what it throws") {
  launched program{{beside_this_program("process_role"), "orphaned_future"}};
  CHECK(program.wait() == 0);
  CHECK(count(program.output(), "std::runtime_error: nobody is left") == 1);
}
