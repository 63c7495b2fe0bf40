// SPDX-License-Identifier: BSL-1.0
// Mistakes with objects that a state holds, of which each test compiles one.
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/state.hpp>

#include <map>
#include <string>
#include <string_view>

struct account {
  int deposit(int amount) {
    return balance += amount;
  }
  [[nodiscard]] std::string_view owner() const {
    return {};
  }
  int balance = 0;
};

int twice(int number);
void show(const char* text);
void audit(account& of, int& found);
int count();

struct row {
  const int id;
};

void check(const troupe::state& state, const troupe::proxy<account>& savings) {
  [[maybe_unused]] const int number = 1;
#if defined TROUPE_CONTROL
  const int a = savings.call<&account::deposit>(1);
  const int b = savings.update([](account& of, int n) { return of.deposit(n); },
                               1);
  const int c = state.run<twice>(1);
  const int d = state.run<&account::deposit>(account{}, 1);
  const auto e = state.make<troupe::held::list<std::pair<int, int>>>();
  const auto f = state.make<account>(1);
#elif defined CASE_NO_OBJECT
  const int a = savings.call<&count>();
#elif defined CASE_RESULT
  const auto a = savings.call<&account::owner>();
#elif defined CASE_REFERENCE
  int found = 0;
  savings.call<&audit>(found);
#elif defined CASE_ASYNC_COUNT
  const int a = savings.call_async<&account::deposit>().get();
#elif defined CASE_UPDATE_CAPTURE
  const int a
    = savings.update([number](account& of) { return of.deposit(number); });
#elif defined CASE_UPDATE_GENERIC
  const int a = savings.update([](auto& of) { return of.balance; });
#elif defined CASE_UPDATE_ARGUMENT
  const int a = savings.update([](account& of, int n) { return of.deposit(n); },
                               "one");
#elif defined CASE_UPDATE_OTHER
  savings.update([](row& of) { static_cast<void>(of); });
#elif defined CASE_RUN_COUNT
  const int a = state.run<twice>();
#elif defined CASE_RUN_POINTER
  state.run<show>("text");
#elif defined CASE_RUN_FUNCTION
  const int a = state.run(twice, 1);
#elif defined CASE_RUN_CAPTURE
  state.run([number] { static_cast<void>(number); });
#elif defined CASE_RUN_AUTO
  const int a = state.run<[](auto n) { return n; }>(1);
#elif defined CASE_MAKE_POINTER
  const auto a = state.make<account>(&number);
#elif defined CASE_MAKE_CONSTANT_ELEMENTS
  const auto a = state.make<troupe::held::list<row>>();
#elif defined CASE_MAKE_CONSTANT_VALUES
  const auto a = state.make<troupe::held::dict<int, row>>();
#endif
}
