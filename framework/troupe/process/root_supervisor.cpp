// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/root_supervisor.hpp>

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/lineage.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/thread.hpp>
#include <troupe/process/fork_server.hpp>
#include <troupe/process/host.hpp>
#include <troupe/process/inherited_descriptors.hpp>
#include <troupe/process/table.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <span>
#include <utility>

namespace troupe::hosting {

namespace {

using memory::run_memory;

// release in `start`, acquire in `current`.
std::atomic<root_supervisor*> the_root_supervisor{nullptr};

} // namespace

root_supervisor::root_supervisor(server_process& server)
  : server_(server), event_(os::make_event()) {
  root_signals::install(event_.get());
  static const bool once = [] {
    os::in_forked_children([] {
      // Or the copy would keep the run alive after its root.
      inherited_descriptors::current().life_line_writer.reset();
      root_signals::forget();
    });
    return true;
  }();
  static_cast<void>(once);
  try {
    thread_ = os::start_thread([this] { watch(); });
  } catch (...) {
    end_server();
    root_signals::forget();
    throw;
  }
}

void root_supervisor::start() {
  // Before the first server: it may fork and end.
  const bool adopted = os::adopt_orphans(true);
  static auto& server = *new server_process;
  if (!server.start())
    run_host(serve_forks());
  static auto& only = *new root_supervisor{server};
  only.adopted_before_ = adopted;
  the_root_supervisor.store(&only, std::memory_order_release);
}

void root_supervisor::watch_for_stalls(const stall_delay& after) {
  try {
    stall_watch_ = after.begin();
  } catch (...) {
    end();
    throw;
  }
}

void root_supervisor::end() noexcept {
  if (ending_.exchange(true))
    return;
  stall_watch_.reset();
  os::notify_event(event_.get());
  thread_.join();
  end_server();
  // What the server had not reaped yet would be a zombie of our parent.
  orphans_.look(server_);
  orphans_.finish_reaping();
  while (orphans_.reclaim())
    orphans_.look(server_);
  os::adopt_orphans(adopted_before_);
  root_signals::forget();
}

root_supervisor* root_supervisor::current() noexcept {
  // acquire: pairs with the release in start.
  return the_root_supervisor.load(std::memory_order_acquire);
}

void root_supervisor::end_server() noexcept {
  if (server_.kill()) {
    static_cast<void>(server_.wait(deadline::never()));
    return;
  }
  // The program has another user by now, and may not signal its fork server. By
  // the life-line the kernel ends all that hang on it, and the server the rest.
  std::vector<os::descriptor> others;
  for_each_host([&](std::uint32_t, process_slot& slot) {
    try {
      others.push_back(os::open_pidfd(slot.pid.load()));
    } catch (const std::exception&) {
      // It is gone, or ends unseen.
      return;
    }
  });
  inherited_descriptors::current().life_line_writer.reset();
  const auto limit = deadline::after(
    std::chrono::nanoseconds{run_memory::current().header().grace});
  static_cast<void>(server_.wait(limit));
  for (const auto& each : others) {
    os::watched ended[] = {{each.get()}};
    static_cast<void>(os::wait_readable(ended, limit));
  }
}

void root_supervisor::watch() {
  os::block_all_signals();
  os::name_process("troupe-guard");
  memory::wait_note note{memory::wait_kind::service, nullptr,
                         deadline::never()};
  note.sleeps();
  while (!ending_.load()) {
    std::vector<os::watched> waiting{{event_.get()}};
    if (!given_up_.empty())
      waiting.push_back(
        {inherited_descriptors::current().requests_reader.get()});
    server_.add_to(waiting);
    orphans_.add_to(waiting);
    auto limit = deadline::never();
    if (const auto soon = orphans_.next_look())
      limit = deadline::after(*soon);
    if (signals_.is_answering())
      limit = deadline::after(std::chrono::milliseconds{5});
    static_cast<void>(os::wait_readable(waiting, limit));
    os::clear_event(event_.get());
    if (ending_.load())
      return;
    look_at_server();
    if (!given_up_.empty())
      refuse_requests();
    if (orphans_.next_look())
      orphans_.look(server_);
    while (orphans_.reclaim())
      orphans_.look(server_);
    signals_.answer(server_);
  }
}

void root_supervisor::look_at_server() {
  switch (server_.look()) {
    case server_process::change::none: return;
    case server_process::change::serves:
      // Whoever has executed it on the way, and has ended.
      orphans_.look(server_);
      return;
    case server_process::change::ended: replace_server(); return;
  }
}

void root_supervisor::replace_server() {
  constexpr int most_failures = 3;
  failed_servers_ = server_.has_served() ? 0 : failed_servers_ + 1;
  TROUPE_CRASH_POINT("process.root_supervisor.server_died");
  orphans_.expect();
  orphans_.look(server_);
  orphans_.finish_reaping();
  TROUPE_CRASH_POINT("process.root_supervisor.adopted");
  if (!server_.reason().empty()) {
    give_up_server(server_.reason());
    return;
  }
  if (failed_servers_ >= most_failures) {
    give_up_server("it ends before it serves; make `troupe::program` the first "
                   "line of main");
    return;
  }
  try {
    static_cast<void>(server_.start());
  } catch (const error& failure) {
    give_up_server(failure.what());
  }
}

void root_supervisor::give_up_server(const std::string& reason) {
  given_up_ = "the fork server cannot be started: " + reason;
  for_each_slot([this](std::uint32_t index, process_slot& slot) {
    const auto state = slot.current_state();
    if (state == slot_state::requested
        || (state == slot_state::starting
            && slot.claim_for(-1, slot.generation.load())))
      confirm_failed_start(index, given_up_.c_str());
  });
}

void root_supervisor::refuse_requests() {
  std::uint32_t indices[256];
  // Never waits: see `program`.
  const auto size
    = os::read_some(inherited_descriptors::current().requests_reader.get(),
                    std::as_writable_bytes(std::span{indices}));
  auto& memory = run_memory::current();
  for (std::size_t at = 0; at < size / sizeof indices[0]; ++at)
    if (indices[at] < memory.header().slots
        && memory.slot(indices[at]).current_state() == slot_state::requested)
      confirm_failed_start(indices[at], given_up_.c_str());
}

} // namespace troupe::hosting
