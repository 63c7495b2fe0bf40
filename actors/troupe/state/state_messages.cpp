// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state_messages.hpp>

#include <troupe/transport/type_table.hpp>

namespace troupe::held {

bool know_messages() {
  static const bool done = [] {
    use_messages<caf::id_block::troupe_state>();
    return true;
  }();
  return done;
}

} // namespace troupe::held
