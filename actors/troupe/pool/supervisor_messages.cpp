// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/supervisor_messages.hpp>

#include <troupe/transport/type_table.hpp>

namespace troupe::supervision {

bool know_messages() {
  static const bool done = [] {
    use_messages<caf::id_block::troupe_supervisor>();
    use_messages<caf::id_block::troupe_supervisor_reports>();
    return true;
  }();
  return done;
}

} // namespace troupe::supervision
