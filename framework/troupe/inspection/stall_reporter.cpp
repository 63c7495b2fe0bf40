// SPDX-License-Identifier: BSL-1.0
#include <troupe/inspection/stall_reporter.hpp>

#include <troupe/base/deadline.hpp>
#include <troupe/inspection/stalls.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/os/thread.hpp>
#include <troupe/process/stall_watch.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

namespace troupe::inspection {

class stall_reporter::watcher {
public:
  explicit watcher(std::chrono::nanoseconds after)
    : after_(std::max<std::chrono::nanoseconds>(
        after, std::chrono::milliseconds{200})) {
    static_cast<void>(memory::run_memory::current());
    thread_ = os::start_thread([this] { watch(); });
  }

  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;

  ~watcher() {
    {
      const std::scoped_lock guard{mutex_};
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  /// Whether this process was forked off the one that watches.
  [[nodiscard]] bool is_copy() const noexcept {
    return owner_ != os::this_pid();
  }

private:
  void watch() noexcept {
    os::block_all_signals();
    memory::wait_note note{memory::wait_kind::service, nullptr,
                           deadline::never()};
    note.sleeps();
    const auto pause = after_ / 2;
    std::optional<snapshot> before;
    std::unique_lock held{mutex_};
    while (!ending_) {
      held.unlock();
      try {
        auto now = here();
        if (before)
          look(*before, now);
        before = std::move(now);
      } catch (const std::exception&) {
        // No memory, or no descriptor: it looks again.
        before.reset();
      }
      held.lock();
      changed_.wait_for(held, pause, [this] { return ending_; });
    }
  }

  void look(const snapshot& before, const snapshot& now) {
    const auto found = find_stalls(before, now);
    std::set<std::tuple<std::uint32_t, std::int32_t, std::uint32_t>> waits;
    bool lasts = found.any();
    for (const auto& each : found.stalled) {
      const auto& wait = now.waits[each.wait];
      // Who stands by for others may have done so for a moment only.
      if (memory::is_own_wait(wait.kind))
        continue;
      waits.insert({wait.slot, wait.thread, wait.turn});
      // A state that is idle may be so for longer than the others.
      lasts = lasts && now.taken - wait.since >= after_;
    }
    if (!lasts || waits == told_)
      return;
    std::string text
      = "troupe: this has stood still for "
        + std::to_string(
          std::chrono::ceil<std::chrono::seconds>(after_).count())
        + " s, and nobody can go on who could end it\n";
    for (const auto& each : sentences(now, found))
      text += "troupe: " + each + "\n";
    std::cerr << text << std::flush;
    told_ = std::move(waits);
  }

  std::chrono::nanoseconds after_;
  std::int32_t owner_ = os::this_pid();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  /// The waits that were told last.
  std::set<std::tuple<std::uint32_t, std::int32_t, std::uint32_t>> told_;
  std::thread thread_;
};

namespace {

/// A reporter for as long as the run.
class watch_of_run final : public hosting::stall_watch {
public:
  explicit watch_of_run(std::chrono::nanoseconds after) : reporter_(after) {
  }

private:
  stall_reporter reporter_;
};

} // namespace

stall_reporter::stall_reporter(std::chrono::nanoseconds after)
  : watcher_(std::make_unique<watcher>(after)) {
}

stall_reporter::~stall_reporter() {
  // A copy has no thread, and perhaps a locked mutex: it is left alone.
  if (watcher_->is_copy())
    static_cast<void>(watcher_.release());
}

} // namespace troupe::inspection

namespace troupe::hosting {

std::unique_ptr<stall_watch> begin_stall_watch(std::chrono::nanoseconds after) {
  return std::make_unique<inspection::watch_of_run>(after);
}

} // namespace troupe::hosting
