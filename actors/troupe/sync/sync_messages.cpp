// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/sync_messages.hpp>

#include <troupe/transport/type_table.hpp>

namespace troupe::sync {

bool know_messages() {
  static const bool done = [] {
    use_messages<caf::id_block::troupe_sync>();
    return true;
  }();
  return done;
}

} // namespace troupe::sync
