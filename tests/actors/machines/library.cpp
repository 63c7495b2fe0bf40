// SPDX-License-Identifier: BSL-1.0

// A library that holds a function for other machines, in two builds.

#include <troupe/machines/machines.hpp>

namespace {

int cook(int dishes) {
#ifdef NEXT_RELEASE
  return 2 * dishes + dishes;
#else
  return 3 * dishes;
#endif
}

} // namespace

int cook_on(const troupe::machine& where, int dishes) {
#ifdef NEXT_RELEASE
  if (dishes < 0)
    return -1;
#endif
  return where.start<cook>(dishes).get();
}
