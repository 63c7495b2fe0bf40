// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/calls/failure.hpp>
#include <troupe/codec/codec.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <stdexcept>
#include <string>

using troupe::errc;
using troupe::calls::failure;

namespace {

template <class F>
failure failure_of(F function) {
  try {
    function();
  } catch (...) {
    return failure::being_handled();
  }
  return {};
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

} // namespace

TEST_CASE("an exception is told with its type and its text") {
  const auto told = failure_of(open_file);
  CHECK(told.code == errc::remote_exception);
  CHECK(told.type == "std::out_of_range");
  CHECK(told.text == "no such file");
  CHECK(told.causes.empty());
  CHECK(told.description() == "std::out_of_range: no such file");
}

TEST_CASE("what is inside of an exception is told behind it") {
  const auto told = failure_of(read_settings);
  REQUIRE(told.causes.size() == 1);
  CHECK(told.causes[0].type == "std::out_of_range");
  CHECK(told.full_text()
        == "settings cannot be read, caused by std::out_of_range: no such "
           "file");
  CHECK(told.description() == "std::runtime_error: " + told.full_text());
}

TEST_CASE("an exception of Troupe's keeps its code") {
  const auto told = failure_of(
    [] { throw troupe::stale_handle("use a thing", "it is gone"); });
  CHECK(told.code == errc::stale_handle);
  CHECK(told.text == "use a thing: it is gone");
}

TEST_CASE(
  "what is thrown without being an exception is told as far as it can") {
  CHECK(failure_of([] { throw 7; }).description() == "int: 7");
  CHECK(failure_of([] { throw std::string{"text"}; }).text == "text");
}

TEST_CASE("a failure travels as any value does") {
  const auto told = failure_of(read_settings);
  const auto message = troupe::codec::encode(told);
  const auto arrived = troupe::codec::decode<failure>(message.body());
  CHECK(arrived.code == told.code);
  CHECK(arrived.type == told.type);
  CHECK(arrived.text == told.text);
  CHECK(arrived.causes == told.causes);
}

TEST_CASE("a code is thrown as the exception that it belongs to") {
  CHECK_THROWS_AS(troupe::throw_error(errc::not_owner, "unlock", "it is free"),
                  troupe::not_owner);
  CHECK_THROWS_AS(troupe::throw_error(errc::none, "unlock", "nobody knows"),
                  troupe::error);
}
