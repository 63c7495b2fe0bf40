// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/wait_queue.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <chrono>
#include <exception>

namespace troupe::sync {

namespace {

std::uint64_t dead_bytes(std::uint32_t words) noexcept {
  return round_up(std::uint64_t{words} * 8, 64);
}

} // namespace

std::uint32_t wait_queue::dead_words() {
  return memory::run_memory::current().header().slots / 64 + 1;
}

std::uint64_t wait_queue::size(std::uint32_t capacity) {
  return sizeof(wait_queue_head) + dead_bytes(dead_words())
         + std::uint64_t{capacity} * sizeof(waiter);
}

wait_queue::wait_queue(std::byte* start, std::uint32_t capacity) noexcept
  : wait_queue(reinterpret_cast<wait_queue_head*>(start)->guard, start,
               capacity) {
}

wait_queue::wait_queue(robust_lock& guard, std::byte* start,
                       std::uint32_t capacity) noexcept
  : guard_(&guard),
    head_(reinterpret_cast<wait_queue_head*>(start)),
    dead_(nullptr),
    waiters_(nullptr),
    words_(0),
    capacity_(0) {
  if (start == nullptr)
    return;
  words_ = dead_words();
  capacity_ = capacity;
  dead_ = reinterpret_cast<std::atomic<std::uint64_t>*>(
    start + sizeof(wait_queue_head));
  waiters_ = reinterpret_cast<waiter*>(start + sizeof(wait_queue_head)
                                       + dead_bytes(words_));
}

waiter* wait_queue::enqueue(owner who, std::uint32_t host,
                            std::uint64_t mark) noexcept {
  for (std::uint32_t at = 0; at < capacity_; ++at) {
    auto& free = waiters_[at];
    if (free.who.load(std::memory_order_relaxed) != 0)
      continue;
    if (head_->high.load(std::memory_order_relaxed) <= at)
      head_->high.store(at + 1, std::memory_order_relaxed);
    const auto ticket = head_->tickets.load(std::memory_order_relaxed) + 1;
    head_->tickets.store(ticket, std::memory_order_relaxed);
    free.ticket.store(ticket, std::memory_order_relaxed);
    free.mark.store(mark, std::memory_order_relaxed);
    free.host.store(host, std::memory_order_relaxed);
    // release: pairs with the acquire in for_each; the place is whole.
    free.who.store(who.bits(), std::memory_order_release);
    TROUPE_CRASH_POINT("sync.wait_queue.enqueued");
    return &free;
  }
  if (head_ != nullptr)
    head_->crowded.store(1, std::memory_order_relaxed);
  return nullptr;
}

void wait_queue::leave(waiter& of) noexcept {
  of.who.store(0, std::memory_order_release);
  TROUPE_CRASH_POINT("sync.wait_queue.left");
  if (head_->crowded.load(std::memory_order_relaxed) != 0)
    notify_room();
}

bool wait_queue::leave(waiter& of, owner who, std::uint64_t ticket) noexcept {
  if (of.identity() != who
      || of.ticket.load(std::memory_order_relaxed) != ticket)
    return false;
  leave(of);
  return true;
}

void wait_queue::notify_room() noexcept {
  if (head_ == nullptr)
    return;
  head_->crowded.store(0, std::memory_order_relaxed);
  head_->room.fetch_add(1, std::memory_order_release);
  os::wake_all(head_->room);
}

void wait_queue::notify(waiter& at) noexcept {
  announce(at);
  wake(at);
}

void wait_queue::announce(waiter& at) noexcept {
  // release: pairs with the acquire of who sleeps there and looks again.
  at.wake_word.fetch_add(1, std::memory_order_release);
}

void wait_queue::wake(waiter& at) noexcept {
  TROUPE_CRASH_POINT("sync.wait_queue.before_wake");
  if (at.identity().is_actor())
    memory::notify(memory::run_memory::current().slot(
      at.host.load(std::memory_order_relaxed)));
  else
    os::wake(at.wake_word, 1);
}

bool wait_queue::sleep(const waiter& at, std::uint32_t seen, deadline limit,
                       memory::wait_note& note) noexcept {
  note.sleeps(at.wake_word, seen);
  return os::wait(at.wake_word, seen, limit);
}

bool wait_queue::wait_for_room(std::uint32_t seen, deadline limit,
                               memory::wait_note& note) noexcept {
  note.sleeps(head_->room, seen);
  return os::wait(head_->room, seen, limit);
}

bool ensure_wait_queue(
  memory::late_object& at,
  memory::reference (*make)(const void* context)) noexcept {
  if (at.find() != nullptr)
    return true;
  try {
    const auto made = at.claim(wait_queue_kind, make);
    at.set_ready();
    TROUPE_CRASH_POINT("sync.wait_queue.ready");
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

bool sleep_briefly(deadline limit, memory::wait_note& note) noexcept {
  // Seen by one thread: nobody wakes it.
  const os::wait_word nothing{0};
  const auto soon = deadline::after(std::chrono::milliseconds{1});
  note.sleeps();
  static_cast<void>(
    os::wait(nothing, 0, limit.when() < soon.when() ? limit : soon));
  return !limit.passed();
}

void wait_queue::mark_dead(std::uint32_t row) noexcept {
  // Who has never come to a queue has left nothing in it.
  if (head_ == nullptr)
    return;
  // release: pairs with the acquire in reclaim_dead.
  dead_[row / 64].fetch_or(1ULL << (row % 64), std::memory_order_release);
}

} // namespace troupe::sync
