// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/readiness.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/os/thread.hpp>

#include <algorithm>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::channel {

// Watching --------------------------------------------------------------------

namespace {

/// How many watches of this process each object has.
struct watch_counts {
  std::mutex mutex;
  std::unordered_map<const void*, unsigned> counts;

  static watch_counts& of_this_process() {
    static auto& all = *new watch_counts;
    return all;
  }
};

std::uint32_t own_slot() noexcept {
  return memory::run_memory::current().self().index;
}

} // namespace

watch::watch(mailbox::message_queue& box) : box_(&box) {
  enter();
}

watch::watch(watched_object& object) : object_(&object) {
  enter();
}

watch::watch(watch&& other) noexcept
  : box_(std::exchange(other.box_, nullptr)),
    object_(std::exchange(other.object_, nullptr)) {
}

const void* watch::identity() const noexcept {
  return box_ != nullptr ? box_ : object_->identity();
}

void watch::enter() {
  auto& all = watch_counts::of_this_process();
  const std::scoped_lock guard{all.mutex};
  if (all.counts[identity()]++ != 0)
    return;
  if (box_ != nullptr)
    box_->add_watcher(own_slot());
  else
    object_->add_watcher(own_slot());
}

watch::~watch() {
  if (box_ == nullptr && object_ == nullptr)
    return;
  auto& all = watch_counts::of_this_process();
  const std::scoped_lock guard{all.mutex};
  const auto found = all.counts.find(identity());
  if (--found->second != 0)
    return;
  all.counts.erase(found);
  if (box_ != nullptr)
    box_->remove_watcher(own_slot());
  else
    object_->remove_watcher(own_slot());
}

// Listening -------------------------------------------------------------------

/// The thread that turns the wake word of the process into readable
/// descriptors.
class wake_listener {
public:
  static wake_listener& of_this_process() {
    // Never destroyed: its thread ends with the process.
    static auto& listener = *new wake_listener;
    return listener;
  }

  void add(readiness& entry) {
    const std::scoped_lock guard{mutex_};
    start();
    entries_.push_back(&entry);
    entry.update();
  }

  void remove(readiness& entry) noexcept {
    const std::scoped_lock guard{mutex_};
    std::erase(entries_, &entry);
  }

  void add(wake_event& event) {
    const std::scoped_lock guard{mutex_};
    start();
    events_.push_back(event.fd());
  }

  void remove(wake_event& event) noexcept {
    const std::scoped_lock guard{mutex_};
    std::erase(events_, event.fd());
  }

private:
  void start() {
    if (started_)
      return;
    os::start_thread([this] { listen(); }).detach();
    started_ = true;
  }

  void listen() noexcept {
    os::block_all_signals();
    auto& slot = memory::run_memory::current().own_slot();
    memory::wait_note note{memory::wait_kind::service, nullptr,
                           deadline::never()};
    note.sleeps();
    for (;;) {
      const auto seen = slot.wake_word.load(std::memory_order_seq_cst);
      {
        const std::scoped_lock guard{mutex_};
        for (auto* entry : entries_)
          entry->update();
        for (const auto fd : events_)
          os::notify_event(fd);
      }
      static_cast<void>(
        memory::wait_until_notified(slot, seen, deadline::never()));
    }
  }

  std::mutex mutex_;
  std::vector<readiness*> entries_;
  std::vector<int> events_;
  bool started_ = false;
};

readiness::readiness(mailbox::message_queue& box, memory::reference holder)
  : holder_(std::move(holder)),
    box_(&box),
    watch_(box),
    event_(os::make_event()) {
  wake_listener::of_this_process().add(*this);
}

readiness::~readiness() {
  wake_listener::of_this_process().remove(*this);
}

void readiness::update() noexcept {
  if (box_->readable())
    os::notify_event(event_.get());
  else
    os::clear_event(event_.get());
}

wake_event::wake_event() : event_(os::make_event()) {
  wake_listener::of_this_process().add(*this);
}

wake_event::~wake_event() {
  wake_listener::of_this_process().remove(*this);
}

void wake_event::clear() noexcept {
  os::clear_event(event_.get());
}

} // namespace troupe::channel
