// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/messages.hpp>

#include <troupe/transport/type_table.hpp>

#include <caf/io/middleman.hpp>

namespace troupe::network {

bool know_messages() {
  static const bool done = [] {
    use_messages<caf::id_block::troupe_network>();
    if (transport::version::meta_of(caf::id_block::io_module::begin) == nullptr)
      caf::io::middleman::init_global_meta_objects();
    return true;
  }();
  return done;
}

} // namespace troupe::network
