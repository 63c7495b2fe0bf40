// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/init_global_meta_objects.hpp>

int main() {
  caf::core::init_global_meta_objects();
  caf::actor_system_config config;
  const caf::actor_system system{config};
  return 0;
}
