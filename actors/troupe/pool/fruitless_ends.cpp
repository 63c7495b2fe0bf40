// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/fruitless_ends.hpp>

#include <troupe/pool/pool_options.hpp>

#include <cstdio>
#include <string>

namespace troupe::pooling {

fruitless_ends::fruitless_ends(const pool_options& options)
  : most_(options.intensity.value_or(3 * options.size + 2)),
    crashes_(static_cast<std::uint32_t>(most_), options.period),
    kills_(static_cast<std::uint32_t>(most_) * killed_per_crash,
           options.period) {
}

bool fruitless_ends::note(cause why, restart_intensity::clock::time_point now) {
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
