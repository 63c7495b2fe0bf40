// SPDX-License-Identifier: BSL-1.0

// What a machine and its lead say first: read as it was written, compared as it
// should be, and refused in every other form.

#include "handshake_input.hpp"

#include <troupe/base/error.hpp>
#include <troupe/machines/handshake.hpp>
#include <troupe/os/program_build.hpp>

#include <doctest/doctest.h>
#include <support/changed_bytes.hpp>

#include <span>

using namespace troupe::machines;

namespace {

introduction joining() {
  introduction made;
  made.processors = 2;
  made.program = {"x86-64", "prog", "0123456789abcdef0123", {{"a.so", 1}}};
  made.name = "kitchen";
  return made;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("what was written is read") {
  for (const auto& each : fuzz::right_handshakes())
    CHECK(fuzz::feed_handshake(each));
}

TEST_CASE("every shortening and every lengthening is malformed") {
  for (const auto& each : fuzz::right_handshakes()) {
    for (std::size_t size = 1; size < each.size(); ++size) {
      CAPTURE(size);
      CHECK_FALSE(fuzz::feed_handshake(std::span{each}.first(size)));
    }
    auto longer = each;
    longer.push_back(0);
    CHECK_FALSE(fuzz::feed_handshake(longer));
  }
}

TEST_CASE("whatever comes is read or refused, and nothing worse") {
  const auto refused = troupe::test::refused_of_changed(
    fuzz::right_handshakes(),
    [](const auto& input) { return fuzz::feed_handshake(input); });
  CHECK(refused > 8'000);
}

TEST_CASE("of another version only that is read") {
  auto other = joining();
  other.version = handshake_version + 1;
  auto bytes = to_bytes(other);
  bytes.resize(14);
  const auto read = read_introduction(bytes);
  CHECK(read.version == handshake_version + 1);
  const auto compared = compare(read, joining().program);
  CHECK(compared.why == refusal::other_version);
  CHECK(contains(compared.to_machine, "version"));
}

TEST_CASE("the same build may join; libraries that only one has do not count") {
  const auto one = joining();
  CHECK(compare(one, one.program).why == refusal::none);
  auto with_more = one.program;
  with_more.libraries.push_back({"b.so", 2});
  CHECK(compare(one, with_more).why == refusal::none);
  with_more.libraries.clear();
  CHECK(compare(one, with_more).why == refusal::none);
}

TEST_CASE("another architecture, build, or build of a library is refused, in "
          "words for both ends") {
  const auto one = joining();
  auto leads = one.program;
  leads.architecture = "AArch64";
  CHECK(compare(one, leads).why == refusal::other_architecture);
  CHECK(contains(compare(one, leads).to_lead, "it runs on x86-64"));
  leads = one.program;
  leads.build = "fedcba98765432100123";
  const auto other = compare(one, leads);
  CHECK(other.why == refusal::other_build);
  CHECK(contains(other.to_machine, "another build of prog (fedcba9876543210"));
  CHECK(contains(other.to_lead, "another build of prog (0123456789abcdef"));
  CHECK(contains(other.to_machine, "copy the program"));
  leads = one.program;
  leads.libraries = {{"a.so", 7}};
  CHECK(compare(one, leads).why == refusal::other_build);
  CHECK(contains(compare(one, leads).to_machine, "another build of a.so"));
}

TEST_CASE("of several libraries of one name one must be of the same build") {
  auto one = joining();
  one.program.libraries = {{"a.so", 1}, {"a.so", 2}};
  auto leads = one.program;
  leads.libraries = {{"a.so", 2}, {"a.so", 1}, {"b.so", 3}};
  CHECK(compare(one, leads).why == refusal::none);
  leads.libraries = {{"a.so", 1}};
  CHECK(compare(one, leads).why == refusal::other_build);
}

TEST_CASE("a program knows its own build, and it is the linker's") {
  const auto own = program_build::own();
  CHECK(own.build == troupe::os::build_of_program());
  CHECK(own.build.size() >= 16);
  CHECK(own.name.starts_with("test_machines"));
}
