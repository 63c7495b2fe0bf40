// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/host.hpp>

#include <troupe/base/error.hpp>
#include <troupe/codec/parcel.hpp>
#include <troupe/mailbox/notification.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/actor_spawner.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/node.hpp>

#include <caf/actor_cast.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {

namespace {

/// Throws a failure that came in a message.
[[noreturn]] void throw_failure(const caf::error& failure) {
  const auto thrown = transport::failure_of(failure);
  switch (thrown.code) {
    case errc::remote_exception:
      hosting::raise(remote_error{"the maker of an actor", thrown});
    case errc::unknown_function:
    case errc::limit_reached:
    case errc::malformed_bytes:
    case errc::stale_handle:
      throw_error(thrown.code, "make an actor in a host", thrown.text);
    default: throw process_died("make an actor in a host", thrown.text);
  }
}

process start_spawner(const runtime::host_announcement& announcement,
                      runtime::host_life life, std::string name) {
  start_options options;
  options.name = std::move(name);
  options.daemon = true;
  return start<&runtime::keep_host>(options, announcement, life);
}

/// Waits until the host has announced its spawner.
caf::actor await_spawner(const runtime::host_announcement& announcement,
                         const process_view& runner) {
  auto& own = memory::run_memory::current().own_slot();
  const auto ready = [&] {
    return announcement.actor_spawner() != 0 || !runner.is_alive();
  };
  mailbox::spinner spinner{
    mailbox::spinner::of_server(std::chrono::microseconds{20})};
  while (!ready())
    if (!spinner.spin(ready))
      mailbox::sleep_until_notified(own, ready, deadline::never());
  if (const auto actor_spawner = announcement.actor_spawner())
    return caf::actor_cast<caf::actor>(
      transport::node::require().actor_in(runner.id(), actor_spawner));
  hosting::require_no_interrupt("start a host for actors");
  const auto status = runner.status();
  throw process_died("start a host for actors",
                     status ? status->description() : "its process is gone");
}

/// Processes for one actor each, which nobody joins. A dead one keeps its place
/// until this process has heard of the death, with its story.
class own_processes {
public:
  static own_processes& all() {
    // Never destroyed: these processes are daemons and end with this one.
    static auto& only = *new own_processes;
    return only;
  }

  void add(process runner, bool awaited) {
    const auto view = runner.view();
    {
      const std::scoped_lock guard{mutex_};
      known_.push_back({std::move(runner), awaited});
    }
    // This process may have heard of its death before it was known here.
    if (!transport::node::require().has_peer(view.id()))
      forget(view.id());
  }

  void forget(memory::slot_id dead) {
    const std::scoped_lock guard{mutex_};
    std::erase_if(known_, [dead](own_process& each) {
      if (each.runner.view().id() != dead)
        return false;
      each.runner.close();
      return true;
    });
  }

  /// Waits until those that are awaited have ended. Returns whether they have.
  [[nodiscard]] bool await_ends(deadline limit) {
    const auto views = awaited();
    return std::all_of(views.begin(), views.end(), [&](const auto& each) {
      return each.join_before(limit).has_value();
    });
  }

private:
  struct own_process {
    process runner;
    bool awaited;
  };

  [[nodiscard]] std::vector<process_view> awaited() {
    const std::scoped_lock guard{mutex_};
    std::vector<process_view> result;
    for (const auto& each : known_)
      if (each.awaited)
        result.push_back(each.runner.view());
    return result;
  }

  std::mutex mutex_;
  std::vector<own_process> known_;
};

const bool told_of_deaths = transport::node::tell_of_deaths(
  [](memory::slot_id dead) { own_processes::all().forget(dead); });

} // namespace

caf::strong_actor_ptr
runtime::request_actor(const caf::actor& actor_spawner,
                       const runtime::recipe_entry& recipe,
                       codec::packet& arguments) {
  const auto where = recipe.location();
  // Held here until the spawner has answered.
  const auto parcel = codec::parcel::make(arguments);
  caf::scoped_actor self{actor_system()};
  caf::strong_actor_ptr made;
  std::optional<caf::error> failure;
  transport::version::request(self, actor_spawner, caf::spawn_atom_v,
                              where.module, where.offset, parcel.id())
    .receive([&](caf::strong_actor_ptr& actor) { made = std::move(actor); },
             [&](caf::error& reason) { failure = std::move(reason); });
  if (failure)
    throw_failure(*failure);
  return made;
}

caf::strong_actor_ptr runtime::request_own_process(
  const runtime::recipe_entry& recipe, codec::packet& arguments,
  std::string name, process_end end,
  const std::function<void(const process_view&)>& requested) {
  // The process is requested first, so that it starts while our own actor
  // system does.
  const auto announcement = host_announcement::make();
  auto runner = start_spawner(announcement, host_life::until_idle,
                              std::move(name));
  if (requested)
    requested(runner.view());
  static_cast<void>(actor_system());
  const auto actor_spawner = await_spawner(announcement, runner.view());
  auto made = request_actor(actor_spawner, recipe, arguments);
  static_cast<void>(told_of_deaths);
  own_processes::all().add(std::move(runner), end == process_end::awaited);
  return made;
}

bool runtime::await_own_processes(deadline limit) {
  return own_processes::all().await_ends(limit);
}

host::host(std::string name) {
  const auto announcement = runtime::host_announcement::make();
  runner_ = start_spawner(announcement, runtime::host_life::until_told,
                          std::move(name));
  static_cast<void>(actor_system());
  spawner_ = await_spawner(announcement, runner_.view());
}

host::~host() {
  try {
    close();
  } catch (...) {
    // The destructor of the process ends it.
  }
}

void host::close() {
  if (!runner_.joinable())
    return;
  constexpr std::chrono::seconds end_limit{3};
  if (has_actor_system() && spawner_) {
    transport::version::send_anonymously(spawner_, caf::close_atom_v);
    spawner_ = nullptr;
    static_cast<void>(runner_.join_for(end_limit));
  }
  const auto ending = std::move(runner_);
}

const caf::actor& host::actor_spawner() {
  if (!spawner_)
    throw invalid_state("spawn in a host", "the host was closed or moved from");
  return spawner_;
}

} // namespace troupe
