// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/pool_messages.hpp>

#include <troupe/transport/type_table.hpp>

namespace troupe::pooling {

bool know_messages() {
  static const bool done = [] {
    use_messages<caf::id_block::troupe_pool>();
    return true;
  }();
  return done;
}

} // namespace troupe::pooling
