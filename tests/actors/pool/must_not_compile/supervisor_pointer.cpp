// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/child_spec.hpp>

#include <caf/event_based_actor.hpp>

caf::behavior show(caf::event_based_actor*, const int* number);
caf::behavior count(caf::event_based_actor*, int number);

troupe::child_spec check() {
#ifdef TROUPE_CONTROL
  return troupe::child<count>("counter", 3);
#else
  static int number = 3;
  return troupe::child<show>("shower", &number);
#endif
}
