// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/wait_thread.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/os/thread.hpp>
#include <troupe/sync/sync_messages.hpp>
#include <troupe/transport/caf_version.hpp>

#include <algorithm>
#include <thread>

namespace troupe::sync {

wait_thread& wait_thread::of_this_process() {
  // Never destroyed: its thread ends with the process.
  static auto& only = *new wait_thread;
  return only;
}

wait_thread::wait_thread() {
  os::start_thread([this] { run(); }).detach();
}

std::uint64_t wait_thread::next_key() {
  const std::scoped_lock guard{mutex_};
  return ++last_key_;
}

void wait_thread::watch(std::uint64_t key, caf::actor whom,
                        std::function<bool()> ready, deadline limit) {
  {
    const std::scoped_lock guard{mutex_};
    entries_.insert_or_assign(key,
                              entry{std::move(whom), std::move(ready), limit});
  }
  // Perhaps it is ready already.
  memory::notify(memory::run_memory::current().own_slot());
}

void wait_thread::forget(std::uint64_t key) {
  const std::scoped_lock guard{mutex_};
  entries_.erase(key);
}

void wait_thread::run() {
  os::block_all_signals();
  auto& slot = memory::run_memory::current().own_slot();
  for (;;) {
    const auto seen = slot.wake_word.load(std::memory_order_seq_cst);
    auto limit = deadline::never();
    {
      const std::scoped_lock guard{mutex_};
      for (auto at = entries_.begin(); at != entries_.end();) {
        if (at->second.limit.passed() || at->second.ready()) {
          transport::version::send_anonymously(at->second.whom, woken_atom_v,
                                               at->first);
          at = entries_.erase(at);
          continue;
        }
        limit = std::min(limit, at->second.limit);
        ++at;
      }
    }
    // Like an actor it does only what others cause, or a limit.
    memory::wait_note note{memory::wait_kind::message, nullptr, limit};
    note.sleeps(slot.wake_word, seen);
    static_cast<void>(memory::wait_until_notified(slot, seen, limit));
  }
}

} // namespace troupe::sync
