// SPDX-License-Identifier: BSL-1.0
#include "support/expected_output.hpp"

#include <doctest/doctest.h>

using expected_output::matches;
using expected_output::split;

TEST_CASE("an ellipsis stands for any text of a line") {
  CHECK(matches("pid …, done", "pid 4711, done"));
  CHECK(matches("…", ""));
  CHECK(matches("a…c…e", "abcde"));
  CHECK_FALSE(matches("pid …, done", "pid 4711, lost"));
  CHECK_FALSE(matches("pid", "pid 4711"));
}

TEST_CASE("a line of one ellipsis stands for any number of lines") {
  CHECK(matches(split("first\n…\nlast\n"), split("first\nlast\n")));
  CHECK(matches(split("first\n…\nlast\n"), split("first\na\nb\nlast\n")));
  CHECK_FALSE(matches(split("first\n…\nlast\n"), split("first\na\nb\n")));
}

TEST_CASE("lines have an order unless they are marked unordered") {
  CHECK_FALSE(matches(split("a\nb\n"), split("b\na\n")));
  CHECK(matches(split("# unordered\na\nb\n"), split("b\na\n")));
  CHECK(matches(split("# unordered\nx …\nx 1\n"), split("x 1\nx 2\n")));
  CHECK_FALSE(matches(split("# unordered\na\na\n"), split("a\nb\n")));
  CHECK_FALSE(matches(split("# unordered\na\n"), split("a\nb\n")));
  CHECK(matches(split("# unordered\na\n…\n"), split("b\na\n")));
}
