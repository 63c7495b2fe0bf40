// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/name_table.hpp>

#include <troupe/base/error.hpp>

namespace troupe::names {

namespace {

/// Takes hold of the table that the run's header names; nothing if none stands
/// there.
memory::reference attach(memory::object_id where) {
  if (where == 0)
    return {};
  return memory::reference::attach(where, memory::object_kind::registry);
}

memory::reference make() {
  auto made = memory::reference::create(memory::object_kind::registry,
                                        sizeof(name_table));
  made.as<name_table>()->mutex.initialise();
  return made;
}

memory::reference find_or_make() {
  auto& place = memory::run_memory::current().header().registry;
  if (auto found = attach(place.load(std::memory_order_acquire)))
    return found;
  auto made = make();
  // Never taken back: a table outlives whoever made it.
  const auto where = memory::send(made);
  std::uint64_t before = 0;
  if (place.compare_exchange_strong(before, where, std::memory_order_acq_rel))
    return made;
  memory::forget(where);
  return attach(before);
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
