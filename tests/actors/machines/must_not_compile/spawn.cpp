// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/queue.hpp>
#include <troupe/machines/machines.hpp>
#include <troupe/shared/array.hpp>

#include <caf/all.hpp>

#include <string>
#include <vector>

struct order {
  std::string dish;
  std::vector<troupe::queue<int>> lines;
};

caf::behavior sum(int count, const troupe::array<double>& of);
caf::behavior take(const order& what);
caf::behavior say(const caf::message& what);
int no_actor(int value);
/// Handles of actors cross, also inside of other things.
caf::behavior lead(const std::vector<caf::actor>& all, caf::actor first);

void check(const troupe::machine& kitchen, const troupe::array<double>& numbers,
           const order& soup, const caf::message& words) {
#ifdef TROUPE_CONTROL
  static_cast<void>(
    kitchen.spawn<lead>(std::vector<caf::actor>{}, caf::actor{}));
#elif defined(CASE_ARRAY)
  static_cast<void>(kitchen.spawn<sum>(1, numbers));
#elif defined(CASE_INSIDE)
  static_cast<void>(kitchen.spawn<take>(soup));
#elif defined(CASE_MESSAGE)
  static_cast<void>(kitchen.spawn<say>(words));
#elif defined(CASE_NO_BEHAVIOR)
  static_cast<void>(kitchen.spawn<no_actor>(1));
#endif
  static_cast<void>(numbers);
  static_cast<void>(soup);
  static_cast<void>(words);
}
