// SPDX-License-Identifier: BSL-1.0
#include <troupe/supervision/child_policy.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/option_checks.hpp>

namespace troupe::supervision {

void check_policy(const child_policy& of, const std::string& attempted) {
  require_enumerator(attempted, "restart", of.restart, restart::temporary);
  require_positive(attempted, "start_limit", of.start_limit);
  if (const auto limit = of.shutdown.limit(); limit && limit->count() < 0)
    throw invalid_argument(
      attempted, "shutdown is within " + std::to_string(limit->count())
                   + " ns: it must not be negative; 0 kills at once");
}

} // namespace troupe::supervision
