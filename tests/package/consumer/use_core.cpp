// SPDX-License-Identifier: BSL-1.0
#include <troupe/core.hpp>

#include <string>
#include <vector>

#if TROUPE_VERSION < 200
#  error "older than what this program is written for"
#endif
static_assert(troupe::version >= troupe::version_number{0, 2, 0});

int square(int n) {
  return n * n;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  troupe::pool pool{1};
  troupe::queue<int> squares;
  for (const int each : pool.map<square>(std::vector{1, 2, 3}))
    squares.put(each);
  troupe::state state;
  auto held = state.make<troupe::held::dict<std::string, int>>();
  const troupe::mutex lock;
  lock.lock();
  held["size"] = static_cast<int>(squares.size());
  lock.unlock();
  return held.at("size") == 3 ? 0 : 1;
}
