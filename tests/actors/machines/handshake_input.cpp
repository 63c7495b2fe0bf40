// SPDX-License-Identifier: BSL-1.0
#include "handshake_input.hpp"

#include <troupe/base/error.hpp>
#include <troupe/machines/handshake.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace fuzz {

namespace {

using namespace troupe::machines;

[[noreturn]] void fail(const char* what) {
  std::cerr << "handshake: " << what << std::endl;
  std::abort();
}

std::vector<std::uint8_t> as_input(std::uint8_t first,
                                   const troupe::bytes& from) {
  std::vector<std::uint8_t> made{first};
  for (const auto each : from)
    made.push_back(std::to_integer<std::uint8_t>(each));
  return made;
}

} // namespace

bool feed_handshake(std::span<const std::uint8_t> input) {
  if (input.empty())
    return false;
  const auto bytes = std::as_bytes(input.subspan(1));
  try {
    if (input[0] % 2 == 0) {
      const auto read = read_introduction(bytes);
      if (read.version != handshake_version)
        return true;
      if (!std::ranges::equal(to_bytes(read), bytes))
        fail("an introduction was read otherwise than it is written");
      static_cast<void>(compare(read, program_build::own()));
    } else if (const auto read = read_verdict(bytes);
               !std::ranges::equal(to_bytes(read), bytes)) {
      fail("a verdict was read otherwise than it is written");
    }
    return true;
  } catch (const troupe::malformed_bytes&) {
    return false;
  }
}

std::vector<std::vector<std::uint8_t>> right_handshakes() {
  introduction one;
  one.processors = 8;
  one.memory = std::uint64_t{1} << 34;
  one.program = {"x86-64", "prog", "755b1902aa", {{"libsoup.so", 0x123}}};
  one.name = "kitchen";
  one.name_was_given = true;
  one.labels = {"oven", "gpu=2"};
  introduction plain;
  plain.processors = 1;
  plain.name = "a";
  const verdict accepted{handshake_version, refusal::none, 3, "kitchen"};
  const verdict refused{handshake_version, refusal::other_build, 0,
                        "it runs another build of prog"};
  return {as_input(0, to_bytes(one)), as_input(0, to_bytes(plain)),
          as_input(1, to_bytes(accepted)), as_input(1, to_bytes(refused))};
}

} // namespace fuzz
