// SPDX-License-Identifier: BSL-1.0

// Programs that tests run from outside, and signal:
// `own_handler_role handles|tokens|serves|calls_back [spawn]`.

#include <troupe/process/program.hpp>
#include <troupe/state/list.hpp>

#include <support/eventually.hpp>
#include <support/sleeping.hpp>
#include <support/stop_forked.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <mutex>
#include <stop_token>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using troupe::test::await;
using troupe::test::sleep_for_ever;

volatile std::sig_atomic_t handled = 0;

void note(int signal) {
  handled = signal;
}

/// Has handlers of its own since before `program`.
int handles() {
  troupe::state holder;
  const auto list = holder.make<troupe::held::list<int>>();
  std::cout << "ready" << std::endl;
  await([] { return handled != 0; });
  const int signal = handled;
  list.push_back(signal);
  std::cout << "handled " << list.at(0) << "; interrupted "
            << troupe::interrupted() << "; started "
            << troupe::async([] { return 1; }).get() << std::endl;
  return 4;
}

/// Listens to SIGTERM only, and so does its child.
int tokens() {
  const auto stop = troupe::interrupt_token(troupe::signals::terminate);
  // First: the child says that all is ready.
  const auto plain = troupe::start<sleep_for_ever>();
  const auto child = troupe::start([] {
    const auto asked = troupe::interrupt_token(troupe::signals::terminate);
    std::cout << "ready" << std::endl;
    await([&] { return asked.stop_requested(); });
    std::cout << "the child tidies up" << std::endl;
  });
  std::cout << "child: " << child.join().description() << std::endl;
  std::cout << "plain: " << plain.join().description() << std::endl;
  std::cout << "asked: " << stop.stop_requested() << "; by "
            << troupe::interrupted_by() << std::endl;
  return 5;
}

/// Listens, and has a state that is to outlive the signal.
int serves() {
  const auto stop = troupe::interrupt_token(troupe::signals::interrupt
                                            | troupe::signals::terminate);
  troupe::state holder;
  const auto list = holder.make<troupe::held::list<int>>();
  list.push_back(7);
  troupe::test::await([&] { return stop.stop_requested(); });
  std::cout << "the state has " << list.at(0) << std::endl;
  return 6;
}

/// A callback of the token that never returns.
int calls_back() {
  const auto stop = troupe::interrupt_token();
  const std::stop_callback callback{stop, [] {
                                      std::cout << "called" << std::endl;
                                      sleep_for_ever();
                                    }};
  std::cout << "ready" << std::endl;
  sleep_for_ever();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  static_cast<void>(troupe::test::stops_forked);
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "handles")
    for (const int signal : {SIGINT, SIGTERM})
      std::signal(signal, note);
  if (argc > 2 && std::string_view{argv[2]} == "spawn")
    troupe::set_start_method(troupe::start_method::spawn);
  troupe::run_options options;
  // Nothing here may need it.
  options.grace = 5min;
  troupe::program program{argc, argv, options};
  const std::map<std::string_view, int (*)()> roles{{"handles", handles},
                                                    {"tokens", tokens},
                                                    {"serves", serves},
                                                    {"calls_back", calls_back}};
  const auto found = roles.find(name);
  return found != roles.end() ? found->second() : 99;
}
