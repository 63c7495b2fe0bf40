// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>

#include <troupe/base/errc.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <set>
#include <string>

using namespace troupe;

TEST_CASE("an error says what was attempted, why it failed, and what to do") {
  const limit_reached failure{"start a process", "there are 64", "join some"};
  CHECK(std::string{failure.what()}
        == "start a process: there are 64; join some");
  CHECK(failure.code() == errc::limit_reached);
  CHECK(failure.os_error() == 0);
  CHECK(std::string{closed{"put", "it is closed"}.what()}
        == "put: it is closed");
}

TEST_CASE("a refused system call brings its errno") {
  errno = ENOENT;
  const os_failure failure{"open a file"};
  CHECK(failure.os_error() == ENOENT);
  CHECK(failure.code() == errc::os_failure);
  CHECK(std::string{failure.what()}
        == "open a file: No such file or directory");
}

TEST_CASE("an error is caught by its own type, by the base, and by the "
          "standard's") {
  CHECK_THROWS_AS(throw peer_died("read", "gone"), peer_died);
  CHECK_THROWS_AS(throw peer_died("read", "gone"), error);
  CHECK_THROWS_AS(throw peer_died("read", "gone"), std::runtime_error);
}

TEST_CASE("every code has a name of its own") {
  std::set<std::string> names;
  int count = 0;
  for (int number = 0; number <= static_cast<int>(errc::machine_lost);
       ++number) {
    const auto name = to_string(static_cast<errc>(number));
    CHECK_FALSE(name.empty());
    names.emplace(name);
    ++count;
  }
  CHECK(static_cast<int>(names.size()) == count);
}
