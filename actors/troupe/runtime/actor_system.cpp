// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/actor_system.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/command_line.hpp>
#include <troupe/os/heap.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/exit.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/actor_registry.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe {

namespace {

using configurer = std::function<void(caf::actor_system_config&)>;

std::vector<configurer>& configurers() {
  static auto& all = *new std::vector<configurer>;
  return all;
}

/// Whether the calling thread is one that the actor system has started.
thread_local bool of_the_actor_system = false;

class configuration : public caf::actor_system_config {
public:
  configuration() {
    opt_group{custom_options_, "troupe"}.add<caf::timespan>(
      "longest-spin", "how long the receiving thread spins before it sleeps");
    set("caf.scheduler.max-threads", 1);
    // The other policy's workers wake up a hundred times a second when there
    // is nothing to do; these sleep until there is.
    set("caf.scheduler.policy", "sharing");
    // For whoever configures the other: its workers sleep in steps in which
    // nobody can wake them.
    set("caf.work-stealing.moderate-poll-attempts", 0);
    std::vector<std::string> arguments;
    for (auto& each : os::command_line())
      if (each.starts_with("--caf."))
        arguments.push_back(std::move(each));
    if (const auto failed = parse(std::move(arguments)))
      std::cerr << "troupe: CAF's configuration: " << to_string(failed) << '\n';
    for (const auto& configure : configurers())
      configure(*this);
    add_thread_hook<transport::version::thread_start_hook>([] {
      of_the_actor_system = true;
      os::let_this_thread_run_on();
    });
    load<transport::node>();
  }
};

struct process_runtime {
  configuration config;
  caf::actor_system system{config};
};

struct runtime_place {
  std::mutex mutex;
  std::unique_ptr<process_runtime> value;
  // release in `actor_system`, which reads it with acquire before it takes the
  // mutex; back to nullptr, with seq_cst, in `end_runtime`.
  std::atomic<process_runtime*> made{nullptr};
  bool over = false;

  static runtime_place& of_this_process() {
    // Never destroyed, unlike what it holds.
    static auto& place = *new runtime_place;
    return place;
  }
};

/// Waits until what actors have printed is written. CAF ends its printer by an
/// exit message, which overtakes those that carry text.
void write_printed(caf::actor_system& system) {
  const auto printer = transport::version::printer_of(system);
  if (!printer)
    return;
  caf::scoped_actor self{system};
  const auto no_actor = caf::actor_id{caf::invalid_actor_id};
  transport::version::request(self, printer, caf::flush_atom_v, no_actor)
    .receive([] {},
             // It has ended, and has nothing left to write.
             [](const caf::error&) {});
}

void end_runtime() {
  if (!hosting::begin_exit())
    return;
  auto& place = runtime_place::of_this_process();
  std::unique_ptr<process_runtime> ending;
  {
    const std::scoped_lock guard{place.mutex};
    place.over = true;
    place.made.store(nullptr);
    ending = std::move(place.value);
  }
  if (!ending)
    return;
  // An actor has called `exit`, and its thread cannot be waited for; or another
  // thread, and what the main thread is about cannot be known.
  if (of_the_actor_system || os::this_thread_id() != os::this_pid()) {
    [[maybe_unused]] static const auto* const left_alone = ending.release();
    if (const auto* node = transport::node::current())
      node->drain();
    hosting::leave_static_objects();
    return;
  }
  ending->system.await_actors_before_shutdown(false);
  // CAF's destructor uses a thread-local object, and those of the thread that
  // calls exit are gone by now.
  std::thread{[&ending] {
    write_printed(ending->system);
    ending.reset();
  }}.join();
}

/// How many actors live that this process has made in others.
class made_elsewhere {
public:
  static made_elsewhere& of_this_process() {
    // Never destroyed: actors may end during exit.
    static auto& only = *new made_elsewhere;
    return only;
  }

  void add() {
    const std::scoped_lock held{mutex_};
    ++count_;
  }

  void remove() {
    const std::scoped_lock held{mutex_};
    if (--count_ == 0)
      none_left_.notify_all();
  }

  [[nodiscard]] bool none() const {
    const std::scoped_lock held{mutex_};
    return count_ == 0;
  }

  [[nodiscard]] bool await_none(deadline limit) {
    std::unique_lock held{mutex_};
    const auto none = [this] { return count_ == 0; };
    // Without a limit a look at the run can tell that it waits for others.
    if (limit.is_never()) {
      none_left_.wait(held, none);
      return true;
    }
    return none_left_.wait_until(held, limit.when(), none);
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable none_left_;
  std::size_t count_ = 0;
};

/// Waits for the actors of this process itself.
bool await_none_here(deadline limit) {
  if (!has_actor_system())
    return true;
  auto& system = actor_system();
  if (limit.is_never()) {
    system.await_all_actors_done();
    return true;
  }
  // CAF tells nobody but who waits without a limit.
  constexpr std::chrono::milliseconds longest{10};
  std::chrono::microseconds pause{100};
  while (system.registry().running() != 0) {
    if (limit.passed())
      return false;
    std::this_thread::sleep_for(
      std::min<std::chrono::nanoseconds>(pause, limit.left()));
    pause = std::min<std::chrono::microseconds>(pause * 2, longest);
  }
  return true;
}

const bool registered = transport::node::made_by(&actor_system);

} // namespace

caf::actor_system& actor_system() {
  auto& place = runtime_place::of_this_process();
  // acquire: pairs with the release below.
  if (auto* made = place.made.load(std::memory_order_acquire))
    return made->system;
  static_cast<void>(memory::run_memory::current());
  const std::scoped_lock guard{place.mutex};
  if (place.over)
    throw invalid_state("use actors", "this process is ending",
                        "end what uses them before main returns");
  if (!place.value) {
    os::keep_freed_memory();
    transport::type_table::current().add_own();
    place.value = std::make_unique<process_runtime>();
    std::atexit(end_runtime);
    place.made.store(place.value.get(), std::memory_order_release);
  }
  return place.value->system;
}

bool has_actor_system() noexcept {
  return runtime_place::of_this_process().made.load() != nullptr;
}

void configure_actors(configurer configure) {
  configurers().push_back(std::move(configure));
}

void await_actors() {
  static_cast<void>(await_actors(deadline::never()));
}

bool await_actors(deadline limit) {
  auto& elsewhere = made_elsewhere::of_this_process();
  do {
    if (!elsewhere.await_none(limit) || !await_none_here(limit)
        || !runtime::await_own_processes(limit))
      return false;
    // The last ones here may have made others.
  } while (!elsewhere.none());
  return true;
}

caf::strong_actor_ptr runtime::awaited(caf::strong_actor_ptr made) {
  if (made) {
    auto& elsewhere = made_elsewhere::of_this_process();
    elsewhere.add();
    made->get()->attach_functor(
      [&elsewhere](const caf::error&) { elsewhere.remove(); });
  }
  return made;
}

} // namespace troupe
