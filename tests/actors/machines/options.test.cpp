// SPDX-License-Identifier: BSL-1.0

#include <troupe/base/error.hpp>
#include <troupe/machines/options.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using troupe::machines::is_name;
using troupe::machines::options;

namespace {

options read(const std::vector<std::string_view>& words) {
  return troupe::machines::read_options(words);
}

std::string refusal_of(const std::vector<std::string_view>& words) {
  try {
    read(words);
  } catch (const troupe::invalid_argument& failure) {
    return failure.what();
  }
  return {};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("options say where to listen, where to join, and who one is") {
  const auto leads = read({"--troupe.listen=0.0.0.0:4242",
                           "--troupe.key-file=/a/key", "--troupe.silence=1.5"});
  CHECK(to_string(*leads.listen) == "0.0.0.0:4242");
  CHECK_FALSE(leads.join);
  CHECK(*leads.key_file == "/a/key");
  CHECK(leads.silence == std::chrono::milliseconds{1'500});
  const auto joins = read({"--troupe.join=[::1]:4242", "--troupe.name=kitchen",
                           "--troupe.labels=oven,gpu=2",
                           "--troupe.join-timeout=5", "--troupe.output=here"});
  CHECK(to_string(*joins.join) == "[::1]:4242");
  CHECK(*joins.name == "kitchen");
  CHECK(joins.labels == std::vector<std::string>{"oven", "gpu=2"});
  CHECK(joins.join_timeout == std::chrono::seconds{5});
  CHECK(joins.output_stays);
  CHECK_FALSE(read({}).listen);
}

TEST_CASE("a wrong option is refused, with its name, the reason and what to "
          "write") {
  CHECK(
    contains(refusal_of({"--troupe.listen"}), "--troupe.listen: it has no"));
  CHECK(contains(refusal_of({"--troupe.lisen=1"}), "there is no such option"));
  CHECK(contains(refusal_of({"--troupe.join=kitchen"}), "read the address"));
  CHECK(contains(refusal_of({"--troupe.join=kitchen:0"}), "port 0"));
  CHECK(contains(refusal_of({"--troupe.listen=1", "--troupe.join=a:1"}),
                 "this program leads"));
  CHECK(contains(refusal_of({"--troupe.name=kitchen"}), "neither leads"));
  CHECK(
    contains(refusal_of({"--troupe.join=a:1", "--troupe.join=b:1"}), "twice"));
  for (const auto* each :
       {"--troupe.silence=0", "--troupe.silence=-1", "--troupe.silence=nan",
        "--troupe.silence=1e9", "--troupe.silence=1s", "--troupe.silence="})
    CHECK(contains(refusal_of({"--troupe.join=a:1", each}),
                   "no number of seconds"));
  CHECK(contains(refusal_of({"--troupe.join=a:1", "--troupe.output=there"}),
                 "--troupe.output=lead"));
  CHECK(contains(refusal_of({"--troupe.join=a:1", "--troupe.labels=a,,b"}),
                 "is no name"));
}

TEST_CASE("a name shows nothing that changes a terminal or a line") {
  for (const auto* each : {"a", "kitchen-2", "host.example", "gpu=2", "x:1/2"})
    CHECK(is_name(each));
  for (const auto* each :
       {"", "-a", "a-", "a b", "a\n", "a\x1b", "a,b", "küche", "a\"b"})
    CHECK_FALSE(is_name(each));
  CHECK(is_name(std::string(63, 'a')));
  CHECK_FALSE(is_name(std::string(64, 'a')));
}
