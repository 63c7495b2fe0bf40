// SPDX-License-Identifier: BSL-1.0
// Mistakes with start and async, of which each test compiles one.
#include <troupe/process/program.hpp>

#include <functional>
#include <memory>
#include <string>

struct base {
  int number = 0;
};

struct derived : base {
  void run() const {
  }
};

struct job {
  int number = 0;
  void run() {
  }
  [[nodiscard]] int times(int factor) const {
    return number * factor;
  }
};

void print(int number);
void increase(int& number);
void print_all(const char* format, ...);
void share(std::shared_ptr<int> number);
int count();
int* find();

void check() {
  const troupe::start_options options;
  [[maybe_unused]] int number = 1;
#if defined TROUPE_CONTROL
  auto a = troupe::start<&job::run>(job{});
  auto b = troupe::start(options, [](int n) { static_cast<void>(n); }, 1);
  auto c = troupe::async<&job::times>(job{2}, 3).get();
  auto d = troupe::async<count>(options).get();
  auto e = troupe::start<[](int n) { static_cast<void>(n); }>(options, 1);
  auto f = troupe::async<&job::number>(job{2}).get();
#elif defined CASE_AUTO_PARAMETER
  auto a = troupe::start<[](auto) {}>(1);
#elif defined CASE_ELLIPSIS
  auto a = troupe::start<print_all>("text");
#elif defined CASE_MEMBER_AS_ARGUMENT
  auto a = troupe::start(&job::run, job{});
#elif defined CASE_MEMBER_OF_OTHER
  auto a = troupe::start<&job::run>(std::string{});
#elif defined CASE_MEMBER_WITHOUT_OBJECT
  auto a = troupe::start<&job::run>();
#elif defined CASE_MEMBER_ARGUMENT
  auto a = troupe::async<&job::times>(job{}, "three").get();
#elif defined CASE_OBJECT_WITH_BASE
  auto a = troupe::start<&derived::run>(derived{});
#elif defined CASE_SHARED_POINTER
  auto a = troupe::start<share>(std::make_shared<int>(1));
#elif defined CASE_OPTIONS_POINTER
  auto a = troupe::start(options, print, 1);
#elif defined CASE_OPTIONS_CAPTURE
  auto a = troupe::start(options, [number] { static_cast<void>(number); });
#elif defined CASE_FUNCTION_OBJECT
  auto a = troupe::start(std::function<void()>{});
#elif defined CASE_ASYNC_POINTER
  const int a = troupe::async(count).get();
#elif defined CASE_ASYNC_CAPTURE
  const int a = troupe::async([number] { return number; }).get();
#elif defined CASE_ASYNC_GENERIC
  const int a = troupe::async([](auto n) { return n; }, 1).get();
#elif defined CASE_ASYNC_REFERENCE
  troupe::async<increase>(number).get();
#elif defined CASE_ASYNC_COUNT
  troupe::async<print>(options, 1, 2).get();
#elif defined CASE_ASYNC_CONVERSION
  troupe::async<print>("text").get();
#elif defined CASE_ASYNC_RESULT
  const int a = *troupe::async<find>(options).get();
#endif
}
