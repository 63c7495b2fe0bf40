// SPDX-License-Identifier: BSL-1.0
// Mistakes with spawn, of which each test compiles one.
#include <troupe/runtime/spawn.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <string>

caf::behavior counter(caf::event_based_actor*, int start);
caf::behavior shower(caf::event_based_actor*, const char* text);
caf::behavior changer(caf::event_based_actor*, int& number);
int no_behavior(int number);

class clock_actor : public caf::event_based_actor {
public:
  clock_actor(caf::actor_config& config, const std::string&)
    : caf::event_based_actor(config) {
  }
};

class sized_actor : public caf::event_based_actor {
public:
  sized_actor(caf::actor_config& config, unsigned)
    : caf::event_based_actor(config) {
  }
};

struct no_actor {
  void run() const {
  }
};

void check(troupe::host& host) {
  [[maybe_unused]] int number = 1;
#if defined TROUPE_CONTROL
  caf::anon_send(troupe::spawn<counter>(1), 1);
  const caf::actor a = troupe::spawn<clock_actor>("noon");
  const caf::actor b = host.spawn<counter>(1);
  const caf::actor c = troupe::spawn<counter>(troupe::placement::here, 1);
  const caf::actor d = troupe::spawn<counter>(host, 1);
  const caf::actor e = troupe::spawn(host, [](caf::event_based_actor*) {});
  const caf::actor f = troupe::spawn<counter>(static_cast<short>(1));
  const caf::actor g = troupe::spawn<sized_actor>(1);
#elif defined CASE_CONVERSION
  caf::anon_send(troupe::spawn<counter>("text"), 1);
#elif defined CASE_NARROWING
  caf::anon_send(troupe::spawn<counter>(1.5), 1);
#elif defined CASE_NARROWING_HERE
  const caf::actor a = troupe::spawn<counter>(troupe::placement::here, 1L);
#elif defined CASE_NARROWING_HOST
  const caf::actor a = host.spawn<counter>(1.5);
#elif defined CASE_NARROWING_CLASS
  const caf::actor a = troupe::spawn<sized_actor>(1.5);
#elif defined CASE_COUNT
  caf::anon_send(troupe::spawn<counter>(), 1);
#elif defined CASE_POINTER
  const caf::actor a = troupe::spawn<shower>("text");
#elif defined CASE_REFERENCE
  const caf::actor a = troupe::spawn<changer>(number);
#elif defined CASE_NO_BEHAVIOR
  caf::anon_send(troupe::spawn<no_behavior>(1), 1);
#elif defined CASE_MEMBER
  caf::anon_send(troupe::spawn<&no_actor::run>(no_actor{}), 1);
#elif defined CASE_AUTO_PARAMETER
  const caf::actor a = troupe::spawn<[](auto*) {}>();
#elif defined CASE_GENERIC
  const caf::actor a = troupe::spawn([](auto*) {});
#elif defined CASE_CAPTURE
  const caf::actor a = troupe::spawn(
    [number](caf::event_based_actor*) { static_cast<void>(number); });
#elif defined CASE_FUNCTION_AS_ARGUMENT
  const caf::actor a = troupe::spawn(counter, 1);
#elif defined CASE_CLASS_ARGUMENT
  const caf::actor a = troupe::spawn<clock_actor>(12);
#elif defined CASE_CLASS_POINTER
  const caf::actor a = troupe::spawn<clock_actor>(&number);
#elif defined CASE_CLASS
  const caf::actor a = troupe::spawn<no_actor>();
#elif defined CASE_HERE
  const caf::actor a = troupe::spawn<counter>(troupe::placement::here, "text");
#elif defined CASE_HERE_FUNCTION
  const caf::actor a = troupe::spawn(troupe::placement::here, counter, 1);
#elif defined CASE_HOST
  const caf::actor a = host.spawn<counter>("text");
#elif defined CASE_HOST_COUNT
  const caf::actor a = troupe::spawn<counter>(host, 1, 2);
#elif defined CASE_HOST_FUNCTION
  const caf::actor a = host.spawn(counter, 1);
#elif defined CASE_HOST_CAPTURE
  const caf::actor a = troupe::spawn(host, [number](caf::event_based_actor*) {
    static_cast<void>(number);
  });
#endif
}
