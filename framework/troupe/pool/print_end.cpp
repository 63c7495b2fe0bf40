// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/print_end.hpp>

#include <troupe/supervision/report_line.hpp>

namespace troupe::pooling {

void print_end(const restart_report& of) {
  supervision::print(of,
                     {"worker", "could not be started", "it is started again",
                      "once too often, its pool gives up"});
}

} // namespace troupe::pooling
