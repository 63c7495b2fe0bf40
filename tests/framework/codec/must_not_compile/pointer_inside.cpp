// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <map>
#include <string>
#include <vector>

struct entry {
  std::string name;
  const char* comment;
};

struct book {
  std::map<int, std::vector<entry>> pages;
};

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::vector<std::string>>();
#else
  troupe::codec::require_sendable<book>();
#endif
}
