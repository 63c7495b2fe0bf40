// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

void check() {
  const int number = 1;
#ifdef TROUPE_CONTROL
  static_cast<void>(troupe::codec::encode(number));
#else
  troupe::codec::packet into;
  troupe::codec::encoder{into}.save([number] { return number; });
#endif
}
