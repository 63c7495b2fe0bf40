// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/option_taker.hpp>

namespace troupe::hosting {

namespace {

// Constant-initialised, so that static initialisers find it.
constinit const option_taker* taker = nullptr;

} // namespace

void take_options(const option_taker& by) noexcept {
  taker = &by;
}

const option_taker* taker_of_options() noexcept {
  return taker;
}

bool is_option(std::string_view argument) noexcept {
  return argument.starts_with(option_prefix);
}

} // namespace troupe::hosting
