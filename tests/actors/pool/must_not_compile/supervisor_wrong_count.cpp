// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/supervisor.hpp>

troupe::supervisor_plan branch(int leaves);

troupe::child_spec check() {
#ifdef TROUPE_CONTROL
  return troupe::supervised<branch>("branch", 3);
#else
  return troupe::supervised<branch>("branch");
#endif
}
