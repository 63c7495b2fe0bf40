// SPDX-License-Identifier: BSL-1.0
// Mistakes with a pool, of which each test compiles one.
#include <troupe/pool/pool.hpp>

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

struct job {
  int number = 0;
  [[nodiscard]] int twice() const {
    return 2 * number;
  }
};

int add(int a, int b);
int twice(int number);
void increase(int& number);
void show(const char* text);
std::string_view name(int number);
void nothing(int number);
void open(const std::string& file);

void check(troupe::pool& pool) {
  const std::vector<int> numbers{1, 2};
  [[maybe_unused]] const int factor = 2;
#if defined TROUPE_CONTROL
  for (const int each : pool.map<&job::twice>(std::vector<job>(2)))
    pool.map<nothing>(std::vector{each});
  const std::vector<int> a
    = pool.starmap<add>(std::vector<std::pair<int, int>>(2));
  for (const int each : pool.imap([](int n) { return n; }, numbers))
    static_cast<void>(pool.apply_async<twice>(each));
  const int b = pool.apply<&job::twice>(job{1});
  const troupe::pool other{{}, troupe::worker_hooks{}.on_start<open>("file")};
#elif defined CASE_TWO_PARAMETERS
  for (const int each : pool.map<add>(numbers))
    static_cast<void>(each);
#elif defined CASE_NO_RANGE
  const std::vector<int> a = pool.map<twice>(3);
#elif defined CASE_ITEM
  const std::vector<int> a = pool.map<twice>(std::vector<std::string>(2));
#elif defined CASE_STARMAP_ITEM
  const auto a = pool.starmap<add>(std::vector<std::tuple<int>>(2));
#elif defined CASE_STARMAP_NUMBER
  const auto a = pool.starmap_async<add>(numbers).get();
#elif defined CASE_FUNCTION_AS_ARGUMENT
  const std::vector<int> a = pool.map(twice, numbers);
#elif defined CASE_MEMBER_AS_ARGUMENT
  const std::vector<int> a = pool.map(&job::twice, std::vector<job>(2));
#elif defined CASE_CAPTURE
  const std::vector<int> a = pool.map([factor](int n) { return n * factor; },
                                      numbers);
#elif defined CASE_GENERIC
  const std::vector<int> a = pool.map([](auto n) { return n; }, numbers);
#elif defined CASE_REFERENCE
  pool.map<increase>(numbers);
#elif defined CASE_POINTER
  pool.map<show>(std::vector<const char*>{"a"});
#elif defined CASE_RESULT
  const auto a = pool.map<name>(numbers);
#elif defined CASE_MEMBER_OF_OTHER
  const std::vector<int> a = pool.map<&job::twice>(numbers);
#elif defined CASE_IMAP_WITHOUT_RESULT
  for (auto& each : pool.imap<nothing>(numbers))
    static_cast<void>(each);
#elif defined CASE_IMAP_TWO_PARAMETERS
  for (auto& each : pool.imap_unordered<add>(numbers))
    static_cast<void>(each);
#elif defined CASE_IMAP_ITEM
  for (auto& each : pool.imap<twice>(std::vector<std::string>(2)))
    static_cast<void>(each);
#elif defined CASE_IMAP_CAPTURE
  for (auto& each : pool.imap([factor](int n) { return n * factor; }, numbers))
    static_cast<void>(each);
#elif defined CASE_IMAP_NO_RANGE
  for (auto& each : pool.imap<twice>(3))
    static_cast<void>(each);
#elif defined CASE_APPLY_COUNT
  const int a = pool.apply<add>(1);
#elif defined CASE_APPLY_CONVERSION
  const int a = pool.apply<twice>("text");
#elif defined CASE_APPLY_POINTER
  pool.apply<show>("text");
#elif defined CASE_APPLY_REFERENCE
  int number = 1;
  pool.apply_async<increase>(number).get();
#elif defined CASE_APPLY_FUNCTION
  const int a = pool.apply(twice, 1);
#elif defined CASE_APPLY_CAPTURE
  const int a = pool.apply_async([factor] { return factor; }).get();
#elif defined CASE_HOOK_ARGUMENT
  const troupe::pool other{{}, troupe::worker_hooks{}.on_start<open>(1)};
#elif defined CASE_HOOK_AT_END
  const troupe::pool other{{}, troupe::worker_hooks{}.on_end<open>()};
#endif
}
