// SPDX-License-Identifier: BSL-1.0
// Mistakes with a supervisor's children, of which each test compiles one.
#include <troupe/pool/supervisor.hpp>

#include <caf/event_based_actor.hpp>

caf::behavior counter(caf::event_based_actor*, int start);
int no_behavior(int number);
troupe::supervisor_plan branch(int leaves);

struct no_actor {};

troupe::child_spec check() {
  [[maybe_unused]] const int number = 1;
#if defined TROUPE_CONTROL
  static_cast<void>(troupe::supervised<branch>("branch", 3));
  return troupe::child<counter>("counter", 3);
#elif defined CASE_CONVERSION
  return troupe::child<counter>("counter", "three");
#elif defined CASE_NARROWING
  return troupe::child<counter>("counter", 2.5);
#elif defined CASE_NARROWING_PLAN
  return troupe::supervised<branch>("branch", 2.5);
#elif defined CASE_NO_BEHAVIOR
  return troupe::child<no_behavior>("counter", 3).named("counter");
#elif defined CASE_FUNCTION_AS_ARGUMENT
  return troupe::child("counter", counter, 3);
#elif defined CASE_CAPTURE
  return troupe::child("counter", [number](caf::event_based_actor*) {
    static_cast<void>(number);
  });
#elif defined CASE_CLASS
  return troupe::child<no_actor>("counter", 1);
#elif defined CASE_NO_PLAN
  return troupe::supervised<counter>("branch", 3);
#elif defined CASE_PLAN_ARGUMENT
  return troupe::supervised<branch>("branch", "three");
#endif
}
