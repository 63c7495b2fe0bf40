// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/queue.hpp>
#include <troupe/machines/machines.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/buffer.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/state.hpp>

#include <string>
#include <vector>

struct order {
  std::string dish;
  std::vector<troupe::queue<int>> lines;
};

double sum(int count, const troupe::array<double>& of);
int take(const order& what);
int add(const troupe::held::list<int>& to);
troupe::array<int> make();
int look(int* at);
int show(const troupe::buffer& image);
/// A copy of a buffer crosses, also inside of other things.
int show_copies(const std::vector<troupe::copied_buffer>& images);

/// So do handles of actors.
caf::actor call(const std::vector<caf::actor>& all);
int say(const caf::message& what);

/// A type of the program's own in a container of itself comes to an end.
struct tree {
  int value = 0;
  std::vector<tree> branches;
};
int walk(const tree& from);

void check(const troupe::machine& kitchen, const troupe::array<double>& numbers,
           const order& soup, const troupe::held::list<int>& dishes, int* at) {
#ifdef TROUPE_CONTROL
  static_cast<void>(kitchen.start<walk>(tree{}).get());
  static_cast<void>(
    kitchen.start<show_copies>(std::vector{troupe::buffer{}.copied()}).get());
  static_cast<void>(kitchen.start<call>(std::vector<caf::actor>{}).get());
#elif defined(CASE_ARRAY)
  static_cast<void>(kitchen.start<sum>(1, numbers));
#elif defined(CASE_INSIDE)
  static_cast<void>(kitchen.start<take>(soup));
#elif defined(CASE_PROXY)
  static_cast<void>(kitchen.start<add>(dishes));
#elif defined(CASE_RESULT)
  static_cast<void>(kitchen.start<make>());
#elif defined(CASE_MESSAGE)
  static_cast<void>(kitchen.start<say>(caf::message{}));
#elif defined(CASE_BUFFER)
  static_cast<void>(kitchen.start<show>(troupe::buffer{}));
#elif defined(CASE_POINTER)
  static_cast<void>(kitchen.start<look>(at));
#endif
  static_cast<void>(numbers);
  static_cast<void>(soup);
  static_cast<void>(dishes);
  static_cast<void>(at);
}
