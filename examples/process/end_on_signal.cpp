// SPDX-License-Identifier: BSL-1.0

// Ends on Ctrl-C and SIGTERM, saves what a state holds, and chooses its code.

#include <troupe/process/program.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/sync/event.hpp>

#include <cstdlib>
#include <iostream>
#include <stop_token>
#include <string>

/// Stands for the terminal, or for the service manager: sends SIGTERM to the
/// program, which is its parent.
void ask_to_end() {
  troupe::parent_process()->terminate();
}

int main(int argc, char** argv) {
  //[listen
  troupe::program program{argc, argv};
  const auto stop = troupe::interrupt_token(troupe::signals::interrupt
                                            | troupe::signals::terminate);
  //]

  troupe::state state;
  auto counts = state.make<troupe::held::dict<std::string, long>>();
  counts["visitors"] = 41;
  auto operating = troupe::start<ask_to_end>();

  //[wait
  const troupe::event asked;
  const std::stop_callback wakes{stop, [&] { asked.set(); }};
  asked.wait();
  //]

  //[refused
  try {
    troupe::start<ask_to_end>().detach();
  } catch (const troupe::cancelled& refused) {
    std::cout << refused.what() << std::endl;
  }
  //]

  //[save
  counts["visitors"] += 1;
  std::cout << "saved: visitors = " << counts.at("visitors") << std::endl;
  std::cout << "asked by signal " << troupe::interrupted_by() << std::endl;
  return EXIT_SUCCESS;
  //]
}
