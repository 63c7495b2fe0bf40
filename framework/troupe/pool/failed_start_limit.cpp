// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/failed_start_limit.hpp>

#include <troupe/pool/pool_options.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>

namespace troupe::pooling {

namespace {

std::uint32_t at_most_32_bits(std::uint64_t number) noexcept {
  return static_cast<std::uint32_t>(
    std::min<std::uint64_t>(number, std::numeric_limits<std::uint32_t>::max()));
}

} // namespace

failed_start_limit::failed_start_limit(const pool_options& options)
  : most_(options.intensity ? std::uint64_t{*options.intensity}
                            : 3 * std::uint64_t{options.size} + 2),
    crashes_(at_most_32_bits(most_), options.period),
    kills_(at_most_32_bits(most_ * killed_per_crash), options.period) {
}

bool failed_start_limit::note(cause why,
                              restart_intensity::clock::time_point now) {
  row_ += why == cause::killed ? 1 : killed_per_crash;
  const bool short_row = row_ <= most_ * killed_per_crash;
  switch (why) {
    case cause::crashed: return crashes_.note(now) && short_row;
    case cause::killed: return kills_.note(now) && short_row;
    case cause::not_made: break;
  }
  return short_row;
}

void print_end(const restart_report& of) {
  std::string line = "troupe: worker '" + of.child + "'";
  line += of.pid != 0 ? " (pid " + std::to_string(of.pid) + ") ended: "
                      : " could not be started: ";
  line += of.reason;
  line += of.given_up ? "; once too often, its pool gives up"
                      : "; it is started again";
  std::fprintf(stderr, "%s\n", line.c_str());
}

} // namespace troupe::pooling
