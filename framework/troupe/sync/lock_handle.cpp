// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/lock_handle.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>

#include <algorithm>
#include <iostream>
#include <utility>

namespace troupe::sync {

namespace {

using memory::object_kind;

mutex_word& word_at(std::byte* payload) noexcept {
  return *reinterpret_cast<mutex_word*>(payload);
}

std::uint32_t own_row() noexcept {
  return memory::run_memory::current().self().index;
}

void holder_died(std::byte* payload, std::uint64_t,
                 std::uint32_t row) noexcept {
  auto& word = word_at(payload);
  word.take_from(row);
  TROUPE_CRASH_POINT("sync.repair.taken");
  repair_after_death(word, row, own_row());
}

void holder_left(std::byte* payload, std::uint64_t size,
                 std::uint32_t row) noexcept {
  auto& word = word_at(payload);
  if (!word.holder().is_of(row))
    return;
  std::cerr << "troupe: destroy the last handle of a mutex: thread "
            << word.holder().thread()
            << " of this process holds it; its next owner is told that the "
               "owner died\n";
  holder_died(payload, size, row);
}

void dispose(std::byte* payload, std::uint64_t) noexcept {
  word_at(payload).dispose();
}

const bool registered = memory::register_kind(
  object_kind::mutex,
  {dispose, holder_died, holder_left, mutex_word::layout()});

} // namespace

lock_handle::lock_handle(bool recursive)
  : object_(memory::reference::create(object_kind::mutex, mutex_word::size())),
    word_(object_.as<mutex_word>()) {
  static_cast<void>(registered);
  if (recursive)
    word_->make_recursive();
}

lock_handle::lock_handle(codec::decoder& from, bool recursive)
  : object_(from.handle(object_kind::mutex)),
    word_(object_ ? object_.as<mutex_word>() : nullptr) {
  if (word_ == nullptr)
    from.refuse(recursive ? "recursive_mutex" : "mutex", "an empty handle");
  if (object_.size() < mutex_word::size() || word_->is_recursive() != recursive)
    from.refuse(recursive ? "recursive_mutex" : "mutex",
                "the handle of another kind of lock");
}

bool lock_handle::take_before(deadline limit) const {
  const auto me = owner::this_thread();
  if (word_->holder() == me) {
    if (word_->is_recursive()) {
      word_->set_depth(word_->depth() + 1);
      return true;
    }
    if (limit == deadline::now())
      return false;
    throw would_deadlock("lock " + text(), "the calling thread holds it",
                         "unlock it first, or use a recursive_mutex");
  }
  const bool taken = limit == deadline::now() ? word_->try_take(me)
                                              : word_->take(me, limit);
  if (taken && word_->is_recursive())
    word_->set_depth(1);
  return taken;
}

std::optional<grant> lock_handle::acquire_before(deadline limit) const {
  if (!take_before(limit))
    return std::nullopt;
  return grant{word_->fence(), word_->owner_died()};
}

std::optional<lock_holder> lock_handle::holder() const {
  for (;;) {
    const auto fence = word_->fence();
    const auto who = word_->holder();
    if (!who)
      return std::nullopt;
    lock_holder result{participant_of(who),
                       std::chrono::steady_clock::time_point{
                         std::chrono::nanoseconds{word_->since()}},
                       fence};
    // Of one and the same holding?
    if (word_->holder() == who && word_->fence() == fence)
      return result;
  }
}

std::vector<participant> lock_handle::waiters() const {
  std::vector<std::pair<std::uint64_t, owner>> standing;
  standing.reserve(mutex_word::most_waiters);
  word_->waiters().for_each([&](const waiter& each) {
    if (const auto who = each.identity())
      standing.emplace_back(each.ticket.load(std::memory_order_relaxed), who);
  });
  std::sort(standing.begin(), standing.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<participant> result;
  for (const auto& [ticket, who] : standing)
    result.push_back(participant_of(who));
  return result;
}

void lock_handle::close() {
  if (word_ != nullptr && word_->holder().is_of(own_row()))
    throw invalid_state("close a handle of " + text(),
                        "thread " + std::to_string(word_->holder().thread())
                          + " of this process holds it",
                        "unlock it first");
  object_.reset();
  word_ = nullptr;
}

void lock_handle::refuse_unlock() const {
  const auto now = holder();
  throw not_owner("unlock " + text(),
                  now ? now->description() + " holds it" : "nobody holds it",
                  "only the thread that locked it may unlock it");
}

std::string lock_handle::text() const {
  return (word_->is_recursive() ? "recursive_mutex " : "mutex ")
         + std::to_string(id());
}

} // namespace troupe::sync
