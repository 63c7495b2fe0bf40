// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/name_table.hpp>

#include <troupe/base/error.hpp>

namespace troupe::names {

namespace {

/// Takes hold of the table that the run's header names; nothing if there is
/// none, or it has ended with whoever made it.
memory::reference attach(memory::object_id where) {
  if (where == 0)
    return {};
  try {
    return memory::reference::attach(where, memory::object_kind::registry);
  } catch (const stale_handle&) {
    return {};
  }
}

memory::reference make() {
  auto made = memory::reference::create(memory::object_kind::registry,
                                        sizeof(name_table));
  made.as<name_table>()->mutex.initialise();
  return made;
}

memory::reference find_or_make() {
  auto& place = memory::run_memory::current().header().registry;
  for (;;) {
    auto before = place.load(std::memory_order_acquire);
    auto held = attach(before);
    if (!held) {
      held = make();
      if (!place.compare_exchange_strong(before, held.id(),
                                         std::memory_order_acq_rel))
        continue;
    }
    // Never taken back: a table outlives whoever made it. Each who finds it
    // does this, too: whoever made it may have been killed before.
    memory::own(place, held);
    return held;
  }
}

} // namespace

name_table* find_table() {
  const auto& place = memory::run_memory::current().header().registry;
  return place.load(std::memory_order_acquire) == 0 ? nullptr : &the_table();
}

name_table& the_table() {
  // Never given up: names are used until the process ends.
  static auto& held = *new memory::reference{find_or_make()};
  return *held.as<name_table>();
}

} // namespace troupe::names
