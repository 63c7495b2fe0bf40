// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/services.hpp>

#include <troupe/base/error.hpp>
#include <troupe/mailbox/notification.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/process/start.hpp>
#include <troupe/process/table.hpp>
#include <troupe/runtime/actor_spawner.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/transport/node.hpp>

#include <csignal>

namespace troupe::sync {

namespace {

using memory::run_memory;

/// What `run_header::services` leads to.
struct services_announcement {
  memory::reference announcement;
  memory::slot_id process;

  [[nodiscard]] bool is_alive() const {
    return hosting::is_alive(process.packed());
  }
};

/// The keeper's id, which the host announces, and the host's packed slot_id.
constexpr std::uint64_t announcement_size = 16;

/// A host that dies so often while it starts, or makes one actor, is not killed
/// by chance.
constexpr int most_attempts = 20;

// release in `start`, acquire in `look`.
std::atomic<std::uint64_t>&
process_word(const memory::reference& announcement) {
  return reinterpret_cast<std::atomic<std::uint64_t>*>(announcement.data())[1];
}

std::optional<services_announcement> look() {
  const auto where
    = run_memory::current().header().services.load(std::memory_order_acquire);
  if (where == 0)
    return std::nullopt;
  try {
    auto announcement = memory::reference::attach(where,
                                                  memory::object_kind::block);
    const auto process = memory::slot_id::unpacked(
      process_word(announcement).load(std::memory_order_acquire));
    return services_announcement{std::move(announcement), process};
  } catch (const stale_handle&) {
    // Its last holder was the host itself, which is dead.
    return std::nullopt;
  }
}

/// The announcement as the argument of the host's process: see
/// runtime/host_announcement.hpp.
runtime::host_announcement
as_host_announcement(const memory::reference& announcement) {
  codec::packet packed;
  codec::encoder to{packed};
  to.handle(announcement);
  auto result = [&] {
    codec::decoder from{packed.body(), packed.handles()};
    return runtime::host_announcement::load(from);
  }();
  packed.release_handles();
  return result;
}

services_announcement start() {
  auto announcement = memory::reference::create(memory::object_kind::block,
                                                announcement_size);
  start_options options;
  options.name = "services";
  options.daemon = true;
  auto runner
    = troupe::start<&runtime::keep_host>(options,
                                         as_host_announcement(announcement),
                                         runtime::host_life::until_told);
  const auto id = runner.view().id();
  process_word(announcement).store(id.packed(), std::memory_order_release);
  runner.detach();
  return {std::move(announcement), id};
}

services_announcement find_or_start() {
  auto& word = run_memory::current().header().services;
  for (;;) {
    auto before = word.load(std::memory_order_acquire);
    if (auto found = look(); found && found->is_alive())
      return std::move(*found);
    auto mine = start();
    // release: pairs with the acquire in look; the announcement is whole.
    if (word.compare_exchange_strong(before, mine.announcement.id(),
                                     std::memory_order_acq_rel)) {
      // Only now does it belong to the root and outlive us: had we been killed
      // before, nobody would know of it, and it is a daemon of ours.
      auto& memory = run_memory::current();
      const memory::slot_id root{0, memory.slot(0).generation.load()};
      memory.slot(mine.process.index).parent.store(root.packed());
      return mine;
    }
    static_cast<void>(hosting::try_signal(process_view{mine.process}, SIGKILL));
  }
}

// acquire: pairs with the release in host_announcement::announce.
std::uint64_t spawner_id(const memory::reference& announcement) {
  return reinterpret_cast<std::atomic<std::uint64_t>*>(announcement.data())
    ->load(std::memory_order_acquire);
}

} // namespace

caf::actor services::keeper() {
  static_cast<void>(actor_system());
  for (int attempt = 1;; ++attempt) {
    const auto found = find_or_start();
    auto& own = run_memory::current().own_slot();
    const auto ready = [&] {
      return spawner_id(found.announcement) != 0 || !found.is_alive();
    };
    while (!ready())
      mailbox::sleep_until_notified(
        own, ready, deadline::after(std::chrono::milliseconds{1}));
    if (const auto id = spawner_id(found.announcement);
        id != 0 && found.is_alive())
      if (auto actor = transport::node::require().living_actor_in(found.process,
                                                                  id))
        return caf::actor_cast<caf::actor>(actor);
    const auto status = process_view{found.process}.status();
    const bool by_itself = status && (status->exited() || status->threw());
    if (by_itself || attempt == most_attempts)
      throw process_died("start the services host",
                         status ? status->description() : "it died each time");
  }
}

std::optional<process_view> services::process() {
  if (auto found = look(); found && found->is_alive())
    return process_view{found->process};
  return std::nullopt;
}

void services::end() {
  if (const auto running = process()) {
    running->kill();
    running->join();
  }
}

caf::strong_actor_ptr services::find(const actor_location& where) {
  const auto home = where.home.load(std::memory_order_acquire);
  const auto id = where.id.load(std::memory_order_acquire);
  if (home == 0 || id == 0 || !hosting::is_alive(home)
      || where.home.load(std::memory_order_acquire) != home)
    return nullptr;
  static_cast<void>(actor_system());
  return transport::node::require().living_actor_in(
    memory::slot_id::unpacked(home), id);
}

caf::strong_actor_ptr services::make(const runtime::recipe_entry& recipe,
                                     codec::packet& arguments, int attempt) {
  const auto host = keeper();
  try {
    return runtime::request_actor(host, recipe, arguments);
  } catch (const process_died&) {
    // Killed meanwhile. For any other reason that it may have, `keeper` throws.
    if (attempt == most_attempts)
      throw;
    return nullptr;
  }
}

void services::enter(actor_location& where,
                     const caf::strong_actor_ptr& actor) {
  transport::node::require().keep(actor);
  where.id.store(actor->aid, std::memory_order_release);
  // release: pairs with the acquire in find; the id belongs to it.
  where.home.store(run_memory::current().self().packed(),
                   std::memory_order_release);
}

void services::leave(actor_location& where, caf::actor_id id) noexcept {
  std::uint64_t before = id;
  static_cast<void>(
    where.id.compare_exchange_strong(before, 0, std::memory_order_acq_rel));
}

} // namespace troupe::sync
