// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/module.hpp>

#include <doctest/doctest.h>

#include <dlfcn.h>

namespace os = troupe::os;

namespace {

int first() {
  return 1;
}

int second() {
  return 2;
}

template <class Function>
const void* code(Function* function) {
  return reinterpret_cast<const void*>(function);
}

/// A function of the C library, or nothing where the test is linked statically.
const void* of_library() {
  return ::dlsym(RTLD_DEFAULT, "qsort");
}

} // namespace

TEST_CASE("functions of the program are in one module, at offsets of their "
          "own") {
  const auto one = os::locate(code(first));
  const auto two = os::locate(code(second));
  CHECK(one.module == two.module);
  CHECK_FALSE(one.is_in_library());
  CHECK(one.offset - two.offset
        == reinterpret_cast<std::uintptr_t>(code(first))
             - reinterpret_cast<std::uintptr_t>(code(second)));
  CHECK(os::locate(code(first)) == one);
  CHECK(os::library_of(code(first)).empty());
}

TEST_CASE("a library is known by its file name") {
  REQUIRE(of_library() != nullptr);
  const auto there = os::locate(of_library());
  CHECK(there.is_in_library());
  CHECK(os::library_of(of_library()).find(".so") != std::string::npos);
  const auto match = os::find_module(there);
  CHECK(match.presence == os::module_presence::same_build);
  CHECK(match.name == os::library_of(of_library()));
}

TEST_CASE("another build of a library is told from the one that is here") {
  auto there = os::locate(of_library());
  there.module ^= 1;
  const auto match = os::find_module(there);
  CHECK(match.presence == os::module_presence::other_build);
  CHECK(match.name == os::library_of(of_library()));
}

TEST_CASE("a library that is not loaded is absent") {
  auto there = os::locate(of_library());
  there.module ^= std::uint64_t{1} << 63;
  CHECK(os::find_module(there).presence == os::module_presence::absent);
}

TEST_CASE("another build of the program is told, too") {
  auto here = os::locate(code(first));
  here.module ^= 1;
  const auto match = os::find_module(here);
  CHECK(match.presence == os::module_presence::other_build);
  CHECK(match.name.empty());
}
