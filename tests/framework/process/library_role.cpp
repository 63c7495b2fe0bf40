// SPDX-License-Identifier: BSL-1.0

// library_role METHOD NEXT LIBRARY: runs functions of a library before and
// after NEXT has taken the place of LIBRARY. library_role plugin LIBRARY: runs
// one of a library that it loads after `program` was made.

#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>

#include <support/eventually.hpp>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>

#include <dlfcn.h>

int run_add(troupe::start_method method, int a, int b);
int run_subtract(troupe::start_method method, int a, int b);

namespace {

template <class Run>
void say(const char* when, Run run) {
  std::cout << when << ": ";
  try {
    std::cout << run();
  } catch (const troupe::error& failure) {
    std::cout << to_string(failure.code()) << ", " << failure.what();
  }
  std::cout << std::endl;
}

void say_both(const char* when, troupe::start_method method) {
  say(when, [=] { return run_add(method, 40, 2); });
  say(when, [=] { return run_subtract(method, 40, 2); });
}

/// Makes the run go on with a fork server that was loaded now.
bool replace_server() {
  const auto& server
    = troupe::memory::run_memory::current().header().fork_server;
  if (!troupe::test::eventually([&] { return server.load() != 0; }))
    return false;
  const auto old = server.load();
  ::kill(old, SIGKILL);
  return troupe::test::eventually([&] { return server.load() != old; });
}

int run_plugin(const char* library) {
  void* const loaded = ::dlopen(library, RTLD_NOW);
  if (loaded == nullptr) {
    std::cerr << ::dlerror() << std::endl;
    return 1;
  }
  const auto run
    = reinterpret_cast<int (*)()>(::dlsym(loaded, "run_in_plugin"));
  say("plugin", run);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const troupe::program program{argc, argv};
  const auto arguments = program.arguments();
  if (arguments.size() == 2)
    return run_plugin(arguments[1]);
  const std::string how{arguments[0]};
  const auto method = how == "spawn" ? troupe::start_method::spawn
                                     : troupe::start_method::fork_server;
  say_both("before", method);
  if (std::rename(arguments[1], arguments[2]) != 0)
    return 1;
  if (how == "server" && !replace_server())
    return 2;
  say_both("after", method);
  say("own", [] { return troupe::async([] { return 49; }).get(); });
}
