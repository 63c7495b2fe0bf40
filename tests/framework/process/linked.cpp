// SPDX-License-Identifier: BSL-1.0

// Functions are found however the program is linked: see CMakeLists.txt.

#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>

#include <support/eventually.hpp>

#include <csignal>
#include <iostream>

namespace {

int square(int number) {
  return number * number;
}

} // namespace

int main(int argc, char** argv) {
  const troupe::program program{argc, argv};
  std::cout << troupe::async<square>(7).get() << ' ';
  troupe::start_options anew;
  anew.method = troupe::start_method::spawn;
  std::cout << troupe::async<square>(anew, 8).get() << ' ';
  const auto& server
    = troupe::memory::run_memory::current().header().fork_server;
  const auto old = server.load();
  ::kill(old, SIGKILL);
  if (!troupe::test::eventually([&] { return server.load() != old; }))
    return 1;
  std::cout << troupe::async([](int number) { return number + 1; }, 9).get()
            << std::endl;
}
