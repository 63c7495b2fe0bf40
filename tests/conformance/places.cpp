// SPDX-License-Identifier: BSL-1.0
#include "places.hpp"

#include <troupe/machines/lead.hpp>

#include <support/launched.hpp>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace conformance {

namespace {

constexpr std::array at_home{place::here, place::own_process};
constexpr std::array elsewhere{place::machine};

bool leads() {
  return troupe::machines::lead::current() != nullptr;
}

} // namespace

std::span<const place> places() {
  if (leads())
    return elsewhere;
  return at_home;
}

const char* name_of(place where) {
  switch (where) {
    case place::here: return "in one process";
    case place::own_process: return "in several processes";
    default: return "on another machine";
  }
}

troupe::machine other_machine() {
  using namespace std::chrono_literals;
  static const auto with_key = [] {
    troupe::test::launch_options made;
    made.environment = {"TROUPE_KEY=a key for tests of conformance only"};
    return made;
  }();
  static const troupe::test::launched other{
    {"/proc/self/exe", "--troupe.join=" + troupe::machines::address(),
     "--troupe.name=elsewhere"},
    with_key};
  static const auto joined = troupe::machines::wait_for("elsewhere", 60s);
  return joined;
}

bool is_elsewhere(const char* why) {
  if (leads())
    MESSAGE("not on another machine: " << std::string{why});
  return leads();
}

} // namespace conformance
