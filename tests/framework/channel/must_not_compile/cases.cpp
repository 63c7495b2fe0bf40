// SPDX-License-Identifier: BSL-1.0
// Mistakes with queues and pipes, of which each test compiles one.
#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>

#include <functional>
#include <string>
#include <string_view>

struct base {
  int number = 0;
};

struct derived : base {
  int other = 0;
};

void check() {
  [[maybe_unused]] int number = 1;
#if defined TROUPE_CONTROL
  const troupe::queue<std::string> a;
  a.put("text");
  for (const auto& each : a)
    a.put(each);
  auto [b, c] = troupe::pipe<base>();
  b.send({1});
  static_cast<void>(c.receive());
#elif defined CASE_QUEUE_OF_POINTERS
  const troupe::queue<int*> a;
  a.put(&number);
  static_cast<void>(a.get());
#elif defined CASE_QUEUE_OF_VIEWS
  const troupe::queue<std::string_view> a;
  a.put("text");
  for (const auto& each : a)
    a.put(each);
#elif defined CASE_QUEUE_OF_DERIVED
  const troupe::queue<derived> a;
  a.put({});
  static_cast<void>(a.get_many(3));
#elif defined CASE_QUEUE_OF_CONSTANTS
  const troupe::queue<const int> a;
  a.put(1);
  static_cast<void>(a.try_get());
#elif defined CASE_PIPE_OF_FUNCTIONS
  auto [a, b] = troupe::pipe<std::function<void()>>();
  a.send([] {});
  static_cast<void>(b.receive());
#elif defined CASE_ONE_WAY_OF_POINTERS
  auto [a, b] = troupe::pipe<const char*>(troupe::one_way);
  b.send("text");
  static_cast<void>(a.try_receive());
#endif
}
