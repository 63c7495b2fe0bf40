// SPDX-License-Identifier: BSL-1.0

// A library that holds functions for other processes. What is compiled with
// NEXT_RELEASE has the same functions in another order, PLUGIN has others.

#include <troupe/process/program.hpp>

namespace {

#ifndef PLUGIN

template <auto F>
int run(troupe::start_method method, int a, int b) {
  troupe::start_options options;
  options.method = method;
  return troupe::async<F>(options, a, b).get();
}

#endif

} // namespace

#ifdef PLUGIN

extern "C" int run_in_plugin() {
  return troupe::async([] { return 42; }).get();
}

#else

int add(int a, int b) {
  return a + b;
}

int subtract(int a, int b) {
  return a - b;
}

#  ifndef NEXT_RELEASE
int run_add(troupe::start_method method, int a, int b) {
  return run<add>(method, a, b);
}
int run_subtract(troupe::start_method method, int a, int b) {
  return run<subtract>(method, a, b);
}
#  else
int run_subtract(troupe::start_method method, int a, int b) {
  return run<subtract>(method, a, b);
}
int run_add(troupe::start_method method, int a, int b) {
  return run<add>(method, a, b);
}
#  endif

#endif
