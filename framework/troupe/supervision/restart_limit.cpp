// SPDX-License-Identifier: BSL-1.0
#include <troupe/supervision/restart_limit.hpp>

namespace troupe::supervision {

bool restart_limit::note(end_cause why, clock::time_point now) {
  if (!limits_.in_a_row)
    return add(restarts_, now) <= limits_.most;
  const auto most_killed = limits_.most * killed_per_crash;
  row_ += why == end_cause::killed ? 1 : killed_per_crash;
  const bool short_row = row_ <= most_killed;
  if (why == end_cause::not_made)
    return short_row;
  if (why == end_cause::killed)
    return add(kills_, now) <= most_killed && short_row;
  return add(restarts_, now) <= limits_.most && short_row;
}

std::size_t restart_limit::add(times& to, clock::time_point now) const {
  // One that is exactly a period old is within it.
  while (!to.empty() && now - to.front() > limits_.period)
    to.pop_front();
  to.push_back(now);
  return to.size();
}

} // namespace troupe::supervision
