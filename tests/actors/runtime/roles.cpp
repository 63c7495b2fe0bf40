// SPDX-License-Identifier: BSL-1.0

// Programs with actors that tests run from outside: they end while threads run
// on, or are told something on the command line. `runtime_role ROLE` is the
// root of a run of its own.

#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/shared/value.hpp>

#include <support/eventually.hpp>
#include <support/stopped.hpp>

#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#if __has_include(<sanitizer/lsan_interface.h>)
#  include <sanitizer/lsan_interface.h>
#endif

namespace {

using troupe::test::activity_of;
using troupe::test::await;

void say(const char* text) {
  std::printf("%s; ", text);
}

struct says_goodbye {
  ~says_goodbye() {
    say("a static object");
  }
};
says_goodbye late;

caf::behavior leaver() {
  return {[](std::int32_t code) { std::exit(code); }};
}

/// Has handlers of its own around those of Troupe, and output in every buffer.
void prepare() {
  std::ios::sync_with_stdio(false);
  std::atexit([] { say("the first handler"); });
  static_cast<void>(troupe::actor_system());
  std::atexit([] { say("the second handler"); });
  std::cout << "from C++; ";
  static auto* const file = std::fopen(std::getenv("RUNTIME_ROLE_FILE"), "w");
  std::fputs("a file of the user", file);
}

/// Receives nothing, for ever.
void receive() {
  caf::scoped_actor self{troupe::actor_system()};
  self->receive([](std::int32_t) {});
}

void actor_leaves() {
  prepare();
  caf::anon_send(troupe::spawn<leaver>(troupe::placement::here),
                 std::int32_t{7});
  receive();
}

void thread_leaves() {
  prepare();
  std::thread{[] { std::exit(7); }}.detach();
  receive();
}

void main_leaves() {
  prepare();
  std::exit(7);
}

/// Calls `leave` in a process of the run.
template <auto F>
int in_child() {
  std::cout << troupe::start<F>().join().description() << std::endl;
  return 0;
}

template <auto F>
int here() {
  F();
  return 0;
}

/// Lasts until main, which has `told` it, has ended: then that thread sleeps.
void last(troupe::value<int> told) {
  const auto main_thread = troupe::parent_process()->pid();
  await([&] { return told != 0 && activity_of(main_thread) == 'S'; });
}

/// An actor has called exit, which waits for a child, and main ends.
template <bool Exits>
int main_ends_too() {
  troupe::value<int> told{0};
  troupe::start<last>(told).detach();
  caf::anon_send(troupe::spawn<leaver>(troupe::placement::here),
                 std::int32_t{7});
  await([] { return !troupe::has_actor_system(); });
  told = 1;
  if (Exits)
    std::exit(3);
  return 3;
}

/// Whether this process is a copy that the user forked off.
bool is_copy = false;

/// A copy of a process with actors exits.
int copy_exits() {
  static_cast<void>(troupe::actor_system());
  const auto copy = ::fork();
  if (copy == 0) {
    is_copy = true;
    std::exit(7);
  }
  int status = 0;
  ::waitpid(copy, &status, 0);
  std::cout << "copy: " << (WIFEXITED(status) ? WEXITSTATUS(status) : -1)
            << std::endl;
  return 0;
}

/// What CAF was told on the command line.
void tell_threads() {
  std::cout << "threads: "
            << caf::get_or(troupe::actor_system().config(),
                           "caf.scheduler.max-threads", std::uint64_t{0})
            << std::endl;
}

} // namespace

#if __has_include(<sanitizer/lsan_interface.h>)
/// Asked by LeakSanitizer before it looks for leaks. It would wait for ever in
/// a copy that was forked while another thread held the allocator's lock.
int __lsan_is_turned_off() { // NOLINT(bugprone-reserved-identifier)
  return is_copy ? 1 : 0;
}
#endif

int main(int argc, char** argv) {
  const troupe::program program{argc, argv};
  const std::map<std::string, std::function<int()>> roles{
    {"actor", here<actor_leaves>},
    {"thread", here<thread_leaves>},
    {"main", here<main_leaves>},
    {"actor_in_child", in_child<actor_leaves>},
    {"thread_in_child", in_child<thread_leaves>},
    {"main_in_child", in_child<main_leaves>},
    {"main_returns", main_ends_too<false>},
    {"main_exits", main_ends_too<true>},
    {"copy_exits", copy_exits},
    {"threads", here<tell_threads>},
    {"threads_in_child", in_child<tell_threads>},
  };
  const auto found = roles.find(argc > 1 ? argv[1] : "");
  return found != roles.end() ? found->second() : 99;
}
