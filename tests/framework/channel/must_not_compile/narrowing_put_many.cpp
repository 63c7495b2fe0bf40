// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/queue.hpp>

#include <vector>

using list = std::vector<double>;

void check(const troupe::queue<long>& queue, const std::vector<int>& whole,
           const list& broken) {
#ifdef TROUPE_CONTROL
  queue.put_many(whole);
  static_cast<void>(broken);
#else
  static_cast<void>(whole);
  queue.put_many(broken);
#endif
}
