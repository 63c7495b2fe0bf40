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

// Watching ---------------------------------------------------------------------

namespace {

/// A process is a watcher of a mailbox once, however many of its threads and
/// descriptors are interested.
struct watched_boxes {
  std::mutex mutex;
  std::unordered_map<mailbox::letter_box*, unsigned> counts;

  static watched_boxes& of_this_process() {
    static auto& boxes = *new watched_boxes;
    return boxes;
  }
};

std::uint32_t own_slot() noexcept {
  return memory::run_memory::current().self().index;
}

} // namespace

watch::watch(mailbox::letter_box& box) : box_(&box) {
  auto& boxes = watched_boxes::of_this_process();
  const std::scoped_lock guard{boxes.mutex};
  if (boxes.counts[box_]++ == 0)
    box_->add_watcher(own_slot());
}

watch::watch(watch&& other) noexcept
  : box_(std::exchange(other.box_, nullptr)) {
}

watch::~watch() {
  if (box_ == nullptr)
    return;
  auto& boxes = watched_boxes::of_this_process();
  const std::scoped_lock guard{boxes.mutex};
  const auto found = boxes.counts.find(box_);
  if (--found->second != 0)
    return;
  boxes.counts.erase(found);
  box_->remove_watcher(own_slot());
}

// Listening --------------------------------------------------------------------

/// The thread that turns the bell of the process into readable descriptors.
class bell_listener {
public:
  static bell_listener& of_this_process() {
    // Never destroyed: its thread ends with the process.
    static auto& listener = *new bell_listener;
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

  void add(bell_event& event) {
    const std::scoped_lock guard{mutex_};
    start();
    events_.push_back(event.fd());
  }

  void remove(bell_event& event) noexcept {
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
    for (;;) {
      const auto seen = slot.bell.load(std::memory_order_seq_cst);
      {
        const std::scoped_lock guard{mutex_};
        for (auto* entry : entries_)
          entry->update();
        for (const auto fd : events_)
          os::ring_event(fd);
      }
      static_cast<void>(memory::wait_for_ring(slot, seen, deadline::never()));
    }
  }

  std::mutex mutex_;
  std::vector<readiness*> entries_;
  std::vector<int> events_;
  bool started_ = false;
};

readiness::readiness(mailbox::letter_box& box, memory::reference holder)
  : holder_(std::move(holder)),
    box_(&box),
    watch_(box),
    event_(os::make_event()) {
  bell_listener::of_this_process().add(*this);
}

readiness::~readiness() {
  bell_listener::of_this_process().remove(*this);
}

void readiness::update() noexcept {
  if (box_->readable())
    os::ring_event(event_.get());
  else
    os::clear_event(event_.get());
}

bell_event::bell_event() : event_(os::make_event()) {
  bell_listener::of_this_process().add(*this);
}

bell_event::~bell_event() {
  bell_listener::of_this_process().remove(*this);
}

void bell_event::clear() noexcept {
  os::clear_event(event_.get());
}

} // namespace troupe::channel
