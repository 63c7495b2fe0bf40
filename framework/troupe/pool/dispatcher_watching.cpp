// SPDX-License-Identifier: BSL-1.0

// Of the dispatcher: threads that wait for results beside other things.

#include <troupe/pool/dispatcher.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/process/host.hpp>
#include <troupe/process/program.hpp>

#include <utility>

namespace troupe::pooling {

using memory::run_memory;

bool dispatcher::poll(const job& of) {
  lock held{mutex()};
  if (hosting::dies_of_interrupt())
    return false;
  if (of.is_done() || leading_)
    return of.is_done();
  auto& memory = run_memory::current();
  // First: what comes after the look notifies the process.
  if (watching_ > 0 && !std::exchange(entered_, true))
    box_of(results_).add_watcher(memory.self().index);
  const bool has_work = box_of(results_).readable() || limits_matter_
                        || memory.header().deaths.load() != deaths_seen_
                        || next_look(deadline::never()).passed()
                        || hosting::is_winding_up();
  if (!has_work)
    return false;
  do_work();
  changed_.notify_all();
  call_all(held);
  return of.is_done();
}

void dispatcher::watch() {
  const std::scoped_lock guard{mutex()};
  ++watching_;
}

void dispatcher::unwatch() noexcept {
  const std::scoped_lock guard{mutex_};
  --watching_;
  // A thread that leads may sleep by it, and takes it away itself.
  if (!leading_)
    leave_watchers();
  // The thread of the pool, which may have left results to us.
  changed_.notify_all();
}

deadline dispatcher::look_again() {
  const std::scoped_lock guard{mutex()};
  return leading_ ? deadline::never() : next_look(deadline::never());
}

/// Takes this process off the watchers of the results, unless threads `watch`.
void dispatcher::leave_watchers() noexcept {
  if (watching_ == 0 && std::exchange(entered_, false))
    box_of(results_).remove_watcher(run_memory::current().self().index);
}

/// Wakes threads of this process that wait for several things: a job is done,
/// or nobody leads any more.
void dispatcher::wake_watchers() noexcept {
  if (watching_ > 0)
    memory::notify(run_memory::current().own_slot());
}

} // namespace troupe::pooling
