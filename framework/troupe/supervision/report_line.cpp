// SPDX-License-Identifier: BSL-1.0
#include <troupe/supervision/report_line.hpp>

#include <cstdio>

namespace troupe::supervision {

std::string line_of(const restart_report& what, const report_words& words) {
  std::string line = "troupe: " + words.child + " '" + what.child + "' ";
  line += what.pid != 0 ? "(pid " + std::to_string(what.pid) + ") ended"
                        : words.ended_without_process;
  line += ": " + what.reason + "; ";
  line += what.given_up ? words.gives_up : words.restarts;
  return line;
}

void print(const restart_report& what, const report_words& words) {
  std::fprintf(stderr, "%s\n", line_of(what, words).c_str());
}

} // namespace troupe::supervision
