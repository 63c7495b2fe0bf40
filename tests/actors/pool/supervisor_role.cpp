// SPDX-License-Identifier: BSL-1.0

// Programs with a supervisor that tests run and interrupt from outside:
// `supervisor_role ROLE`.

#include <troupe/pool/supervisor.hpp>
#include <troupe/process/program.hpp>

#include <support/eventually.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;

/// A supervisor whose children listen to nothing.
int supervises() {
  const auto asked = troupe::interrupt_token();
  const auto child = [](const char* id) {
    return troupe::child(id, [](caf::event_based_actor*) -> caf::behavior {
      return {[](int) {}};
    });
  };
  troupe::supervisor shop{{.intensity = 1000,
                           .report =
                             [](const troupe::restart_report&) {
                               std::cout << "restarted" << std::endl;
                             }},
                          {child("a"), child("b")}};
  std::cout << "ready" << std::endl;
  troupe::test::await([&] { return asked.stop_requested(); });
  std::cout << "it lives: " << shop.is_alive() << std::endl;
  caf::anon_send_exit(shop.child("a"), caf::exit_reason::kill);
  troupe::test::await([&] { return !shop.is_alive(); });
  std::cout << "it gave way" << std::endl;
  return 0;
}

/// A report hook calls exit.
int hook_exits() {
  troupe::supervisor shop{
    {.report = [](const troupe::restart_report&) { std::exit(3); }},
    {troupe::child("a", [](caf::event_based_actor* self) -> caf::behavior {
      return {[self](int) { self->quit(caf::exit_reason::user_shutdown); }};
    })}};
  caf::anon_send(shop.child("a"), 1);
  for (;;)
    ::pause();
}

} // namespace

int main(int argc, char** argv) {
  troupe::run_options options;
  // Nothing here may need it.
  options.grace = 5min;
  troupe::program program{argc, argv, options};
  return argc > 1 && std::string_view{argv[1]} == "hook_exits" ? hook_exits()
                                                               : supervises();
}
