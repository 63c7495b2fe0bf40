// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/future.hpp>

#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

long sum_to(long last) {
  long sum = 0;
  for (long i = 1; i <= last; ++i)
    sum += i;
  return sum;
}

int refuse(const std::string& why) {
  std::cerr << "about to refuse\n";
  throw std::invalid_argument{why};
}

struct counter {
  int number = 0;
  std::string name;

  int count_to(int last) {
    while (number < last)
      ++number;
    return number;
  }
  [[nodiscard]] int times(int factor) const noexcept {
    return number * factor;
  }
  int of_an_lvalue() & {
    return number;
  }
  std::string of_an_rvalue() && {
    return std::move(name);
  }
  [[nodiscard]] const std::string& name_of() const& {
    return name;
  }
};

} // namespace

TEST_CASE("a member function runs on a copy of its object") {
  counter object{3, "three"};
  CHECK(troupe::async<&counter::times>(object, 4).get() == 12);
  CHECK(troupe::async<&counter::count_to>(object, 10).get() == 10);
  CHECK(object.number == 3);
  CHECK(troupe::async<&counter::of_an_lvalue>(object).get() == 3);
  CHECK(troupe::async<&counter::of_an_rvalue>(object).get() == "three");
  CHECK(troupe::async<&counter::name_of>(object).get() == "three");
  CHECK(troupe::async<&counter::number>(object).get() == 3);
  CHECK(troupe::start<&counter::count_to>(object, 5).join().code() == 0);
}

TEST_CASE("a future gives what the function returns, once") {
  auto result = troupe::async<sum_to>(1000);
  CHECK(result.valid());
  CHECK(result.get() == 500500);
  CHECK_FALSE(result.valid());
  CHECK_THROWS_AS(result.get(), troupe::invalid_state);
  auto nothing = troupe::async([] {});
  nothing.get();
}

TEST_CASE("a future says when its result is there") {
  const troupe::queue<int> go;
  auto result
    = troupe::async([](troupe::queue<int> when) { return when.get(); }, go);
  CHECK(result.wait_for(0ms) == std::future_status::timeout);
  go.put(3);
  CHECK(result.wait_for(20s) == std::future_status::ready);
  result.wait();
  CHECK(result.wait_until(std::chrono::steady_clock::now())
        == std::future_status::ready);
  CHECK(result.get() == 3);
}

TEST_CASE("an exception comes back with its story") {
  auto result = troupe::async<refuse>("not today");
  const auto pid = result.runner().pid();
  const auto name = result.runner().name();
  try {
    result.get();
    FAIL("nothing was thrown");
  } catch (const troupe::remote_error& failure) {
    CHECK(failure.code() == troupe::errc::remote_exception);
    CHECK(failure.type() == "std::invalid_argument");
    CHECK(failure.text() == "not today");
    CHECK(failure.process_name() == name);
    CHECK(failure.pid() == pid);
    CHECK(failure.last_lines().starts_with("about to refuse\n"));
    const std::string what = failure.what();
    CHECK(what.find("not today") != std::string::npos);
    CHECK(what.find("about to refuse") != std::string::npos);
    CHECK(what.find(name) != std::string::npos);
  }
}

TEST_CASE("a death is a typed error, whatever its kind") {
  auto killed = troupe::async([] {
    ::raise(SIGKILL);
    return 1;
  });
  try {
    killed.get();
    FAIL("nothing was thrown");
  } catch (const troupe::remote_error& failure) {
    CHECK(failure.code() == troupe::errc::process_died);
    CHECK(failure.status().signal() == SIGKILL);
    CHECK(failure.type().empty());
  }
  auto left = troupe::async([] {
    std::exit(0);
    return 1;
  });
  CHECK_THROWS_AS(left.get(), troupe::remote_error);
  auto left_void = troupe::async([] { std::exit(3); });
  CHECK_THROWS_AS(left_void.get(), troupe::remote_error);
}

TEST_CASE("a result that nobody gets is given back") {
  for (int turn = 0; turn < 5; ++turn) {
    auto result = troupe::async([] { return std::string(100'000, 'r'); });
    static_cast<void>(result);
  }
}

TEST_CASE("an exception two processes away keeps its text") {
  auto outer = troupe::async([] { troupe::async<refuse>("deep down").get(); });
  try {
    outer.get();
    FAIL("nothing was thrown");
  } catch (const troupe::remote_error& failure) {
    CHECK(failure.type() == "troupe::remote_error");
    CHECK(failure.text().find("deep down") != std::string::npos);
  }
}

TEST_CASE("a copy that the user forked off takes no result, and frees no "
          "process") {
  auto result = troupe::async<sum_to>(100);
  auto ended = troupe::start([] {});
  auto other = troupe::start([] {});
  result.wait();
  ended.join();
  other.join();
  const auto forked = ::fork();
  if (forked == 0) {
    int wrong = 3;
    try {
      result.get();
    } catch (const troupe::invalid_state&) {
      --wrong;
    }
    try {
      ended.close();
    } catch (const troupe::invalid_state&) {
      --wrong;
    }
    try {
      other.detach();
    } catch (const troupe::invalid_state&) {
      --wrong;
    }
    {
      const auto gone = std::move(result);
    }
    ::_exit(wrong);
  }
  int status = 0;
  CHECK(::waitpid(forked, &status, 0) == forked);
  CHECK(status == 0);
  CHECK(result.get() == 5050);
  CHECK(ended.join().success());
  CHECK(other.join().success());
}
