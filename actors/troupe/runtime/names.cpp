// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/names.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/hash.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/runtime/name_table.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/node_name.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace troupe::names {

namespace {

static_assert(longest < sizeof(name_entry::text));

/// Holds the table's lock. A dead owner leaves entries whole: their `state` is
/// stored last.
class table_lock {
public:
  explicit table_lock(name_table& table) noexcept : table_(table) {
    static_cast<void>(table_.mutex.lock());
  }
  ~table_lock() {
    table_.mutex.unlock();
  }
  table_lock(const table_lock&) = delete;
  table_lock& operator=(const table_lock&) = delete;

private:
  name_table& table_;
};

bool lives(const name_entry& entry) noexcept {
  if (entry.state.load(std::memory_order_acquire) == 0)
    return false;
  const auto* slot = memory::run_memory::current().find(
    memory::slot_id::unpacked(entry.process));
  return slot != nullptr && slot->current_state() != memory::slot_state::dead;
}

std::string_view name_of(const name_entry& entry) noexcept {
  return {entry.text, std::min<std::size_t>(entry.length, sizeof entry.text)};
}

name_entry* find_entry(name_table& table, std::string_view name) noexcept {
  for (auto& entry : table.entries)
    if (lives(entry) && name_of(entry) == name)
      return &entry;
  return nullptr;
}

/// Takes the name away if it still belongs to that actor.
void erase_of(const std::string& name, std::uint64_t process,
              caf::actor_id actor) {
  auto& table = the_table();
  const table_lock held{table};
  auto* entry = find_entry(table, name);
  if (entry != nullptr && entry->process == process && entry->actor == actor)
    entry->state.store(0, std::memory_order_release);
}

/// Whether a name leads to that actor of this process.
bool is_named(caf::actor_id actor) {
  name_table* table = nullptr;
  try {
    table = find_table();
  } catch (const limit_reached&) {
    // Asked again when names change.
    return true;
  }
  if (table == nullptr)
    return false;
  const auto self = memory::run_memory::current().self().packed();
  const table_lock held{*table};
  return std::ranges::any_of(table->entries, [&](const name_entry& entry) {
    return entry.state.load(std::memory_order_acquire) != 0
           && entry.actor == actor && entry.process == self;
  });
}

const bool known_to_the_node = transport::node::ask_for_names(&is_named);

/// A process that is stopped need not answer: it lets go of nothing either.
constexpr std::chrono::seconds longest_answer{1};

std::string attempt(std::string_view what, std::string_view name) {
  return std::string{what} + " the name '" + std::string{name} + "'";
}

} // namespace

void untyped::set(std::string_view name, const caf::strong_actor_ptr& actor,
                  std::string_view type) {
  if (name.empty() || name.size() > longest)
    throw invalid_argument(attempt("register", name),
                           "a name has 1 to " + std::to_string(longest)
                             + " bytes");
  if (!actor)
    throw invalid_argument(attempt("register", name), "the handle is empty");
  const auto process = transport::process_of(actor->nid);
  if (!process)
    throw invalid_argument(attempt("register", name),
                           "the actor lives outside of this run");
  auto& own = transport::node::require();
  if (own.is_local(actor))
    own.export_actor(actor);
  auto& table = the_table();
  {
    const table_lock held{table};
    if (const auto* taken = find_entry(table, name);
        taken != nullptr
        && (taken->actor != actor->aid || taken->process != process->packed()))
      throw invalid_state(attempt("register", name),
                          "it belongs to another living actor",
                          "erase it first, or choose another");
    auto* entry = find_entry(table, name);
    for (auto& each : table.entries)
      if (entry == nullptr && !lives(each))
        entry = &each;
    if (entry == nullptr)
      throw limit_reached(attempt("register", name),
                          "the run has " + std::to_string(name_table::size)
                            + " names already",
                          "erase names that nobody needs");
    entry->state.store(0, std::memory_order_release);
    entry->length = static_cast<std::uint32_t>(name.size());
    entry->process = process->packed();
    entry->actor = actor->aid;
    entry->type = hash_of(type);
    std::memcpy(entry->text, name.data(), name.size());
    TROUPE_CRASH_POINT("runtime.name.written");
    // release: pairs with the acquire in `lives`.
    entry->state.store(1, std::memory_order_release);
    TROUPE_CRASH_POINT("runtime.name.set");
  }
  // The caller refers to the actor until here; from now on the name does.
  if (own.is_local(actor))
    own.exported()->named(actor->aid);
  table.changes.fetch_add(1, std::memory_order_release);
  os::wake_all(table.changes);
  actor->get()->attach_functor(
    [name = std::string{name}, process = process->packed(),
     id = actor->aid](const caf::error&) { erase_of(name, process, id); });
}

caf::strong_actor_ptr untyped::wait(std::string_view name,
                                    std::string_view type, deadline limit) {
  auto& table = the_table();
  for (;;) {
    const auto changes = table.changes.load(std::memory_order_acquire);
    std::uint64_t process = 0;
    std::uint64_t actor = 0;
    {
      const table_lock held{table};
      if (const auto* entry = find_entry(table, name)) {
        if (entry->type != hash_of(type))
          throw invalid_argument(attempt("look up", name),
                                 "it was registered as another type than "
                                   + std::string{type},
                                 "look it up as what it was registered as");
        process = entry->process;
        actor = entry->actor;
      }
    }
    if (actor != 0) {
      auto& own = transport::node::require();
      const transport::actor_name wanted{memory::slot_id::unpacked(process),
                                         actor};
      if (auto found = own.living_actor_in(wanted.process, actor)) {
        // Whoever takes the name away after this does not end the actor.
        static_cast<void>(
          own.imported().await_known(wanted, deadline::after(longest_answer)));
        return found;
      }
    }
    if (!os::wait(table.changes, changes, limit))
      return nullptr;
  }
}

bool erase(std::string_view name) {
  auto& table = the_table();
  std::uint64_t process = 0;
  caf::actor_id actor = 0;
  {
    const table_lock held{table};
    auto* entry = find_entry(table, name);
    if (entry == nullptr)
      return false;
    process = entry->process;
    actor = entry->actor;
    entry->state.store(0, std::memory_order_release);
  }
  TROUPE_CRASH_POINT("runtime.name.erased");
  // Nobody else may refer to the actor.
  transport::node::require().name_taken(memory::slot_id::unpacked(process),
                                        actor);
  return true;
}

} // namespace troupe::names
