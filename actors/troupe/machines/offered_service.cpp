// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/offered_service.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/os/thread.hpp>
#include <troupe/os/wait_word.hpp>
#include <troupe/process/root_service.hpp>
#include <troupe/transport/node.hpp>

#include <caf/actor_cast.hpp>

#include <utility>

namespace troupe::machines {

namespace {

using hosting::root_service;

/// Makes it and says so. Returns what came of it.
root_service::stage make_known(root_service& of,
                               std::function<caf::strong_actor_ptr()> make) {
  // Never given up: whoever asks finds it until this process ends.
  static auto& held = *new caf::strong_actor_ptr;
  try {
    held = make();
  } catch (const error&) {
    // This run is about to end, or the lead.
    return root_service::over;
  }
  if (!held)
    return root_service::over;
  auto& own = transport::node::require();
  static_cast<void>(own.exported()->note(held));
  of.actor.store(held->aid);
  return root_service::made;
}

/// Waits until a process asks for the service.
void await_asker(root_service& of) {
  // It does nothing that others have not caused.
  memory::wait_note note{memory::wait_kind::service, nullptr,
                         deadline::never()};
  note.sleeps(of.state, root_service::offered);
  // acquire: pairs with the exchange in find_service.
  while (of.state.load(std::memory_order_acquire) == root_service::offered)
    static_cast<void>(
      os::wait(of.state, root_service::offered, deadline::never()));
}

} // namespace

void offer_service(std::function<caf::strong_actor_ptr()> make) {
  auto& place = root_service::of_run();
  place.state.store(root_service::offered);
  os::start_thread([&place, make = std::move(make)] {
    os::block_all_signals();
    os::let_this_thread_run_on();
    await_asker(place);
    // release: pairs with the acquire in find_service, behind the actor's id.
    place.state.store(make_known(place, make), std::memory_order_release);
    os::wake_all(place.state);
  }).detach();
}

caf::actor find_service(std::string_view attempted) {
  auto& place = root_service::of_run();
  std::uint32_t seen = root_service::offered;
  // acq_rel: pairs with the acquire in offer_service.
  if (place.state.compare_exchange_strong(seen, root_service::asked,
                                          std::memory_order_acq_rel)) {
    os::wake_all(place.state);
    seen = root_service::asked;
  }
  for (; seen == root_service::asked;
       // acquire: pairs with the release in offer_service.
       seen = place.state.load(std::memory_order_acquire))
    static_cast<void>(os::wait(place.state, seen, deadline::never()));
  os::stay_if_held();
  if (seen == root_service::none)
    throw invalid_state(attempted,
                        "this program leads no machines, and is none",
                        "start the program with --troupe.listen=HOST:PORT");
  if (seen != root_service::made)
    throw invalid_state(attempted, "this program is about to end",
                        "end what uses machines before main returns");
  const auto& slot = memory::run_memory::current().slot(0);
  const auto found = transport::node::require().actor_in(
    memory::slot_id{0, slot.generation.load()}, place.actor.load());
  return caf::actor_cast<caf::actor>(found);
}

} // namespace troupe::machines
