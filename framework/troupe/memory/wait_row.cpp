// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/wait_row.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/coarse_clock.hpp>
#include <troupe/os/process_id.hpp>

#include <limits>

namespace troupe::memory {

namespace {

/// The row of the calling thread, from its first sleep to its end.
struct own_wait_row {
  wait_row* row = nullptr;
  std::uint64_t name = 0;
  /// A child that the user forked has a copy of this and no rows.
  std::int32_t pid = 0;

  [[nodiscard]] wait_row* get() noexcept {
    if (row != nullptr && pid == os::this_pid())
      return row;
    return take();
  }

  ~own_wait_row() {
    if (row != nullptr && pid == os::this_pid())
      row->thread.store(0, std::memory_order_release);
  }

private:
  wait_row* take() noexcept {
    row = nullptr;
    pid = os::this_pid();
    auto& memory = run_memory::current();
    const auto self = memory.self();
    if (self.index >= memory.header().slots
        || memory.slot(self.index).pid.load(std::memory_order_relaxed) != pid)
      return nullptr;
    name = (std::uint64_t{self.generation} << 32)
           | static_cast<std::uint32_t>(os::this_thread_id());
    for (auto& each : memory.waits_of(self.index).rows) {
      auto seen = each.thread.load(std::memory_order_relaxed);
      if ((seen == 0 || seen >> 32 != self.generation)
          && each.thread.compare_exchange_strong(seen, name,
                                                 std::memory_order_acq_rel)) {
        // As the last one may have left it.
        each.turn.store((each.turn.load(std::memory_order_relaxed) + 1) & ~1U,
                        std::memory_order_release);
        return row = &each;
      }
    }
    return nullptr;
  }
};

wait_row* own_row_of_thread() noexcept {
  static thread_local own_wait_row own;
  return own.get();
}

std::int64_t nanoseconds(deadline when) noexcept {
  if (when.is_never())
    return std::numeric_limits<std::int64_t>::max();
  return std::chrono::nanoseconds{when.when().time_since_epoch()}.count();
}

} // namespace

wait_note*& wait_note::covering() noexcept {
  static thread_local constinit wait_note* outermost = nullptr;
  return outermost;
}

void wait_note::enter() noexcept {
  row_ = own_row_of_thread();
  if (row_ == nullptr)
    return;
  auto& memory = run_memory::current();
  const auto size = memory.header().size;
  // Pairs with the second look of who reads a copy: one that has found what
  // comes next finds the even number of the last wait's end, too.
  std::atomic_thread_fence(std::memory_order_release);
  std::size_t used = 0;
  bool open = open_;
  const auto add = [&](const void* place) {
    const auto at = memory.offset_of(place);
    if (at >= size || used == wait_row::most_places) {
      open = true;
      return;
    }
    row_->places[used++].store(at, std::memory_order_relaxed);
  };
  if (place_ != nullptr)
    add(place_);
  for (const auto* each : places_)
    add(each);
  for (auto at = used; at < wait_row::most_places; ++at)
    row_->places[at].store(0, std::memory_order_relaxed);
  row_->kind.store(static_cast<std::uint32_t>(kind_)
                     | (open ? wait_row::is_open : 0),
                   std::memory_order_relaxed);
  row_->since.store(os::coarse_now(), std::memory_order_relaxed);
  row_->until.store(nanoseconds(until_), std::memory_order_relaxed);
  row_->word.store(0, std::memory_order_relaxed);
  // release: whoever finds it odd finds the rest.
  row_->turn.store(row_->turn.load(std::memory_order_relaxed) + 1,
                   std::memory_order_release);
  if (is_traced()) [[unlikely]]
    trace(trace_kind::wait_begins, static_cast<std::uint32_t>(kind_),
          row_->places[0].load(std::memory_order_relaxed));
}

void wait_note::leave() noexcept {
  // Both ends are as late as the coarse clock is, so sums come out right.
  count_wait(kind_, row_->places[0].load(std::memory_order_relaxed),
             os::coarse_now() - row_->since.load(std::memory_order_relaxed));
  if (is_traced()) [[unlikely]]
    trace(trace_kind::wait_ends, static_cast<std::uint32_t>(kind_), 0);
  row_->turn.store(row_->turn.load(std::memory_order_relaxed) + 1,
                   std::memory_order_release);
}

void wait_note::sleeps(const os::wait_word& word,
                       std::uint32_t expected) noexcept {
  auto* const of = covering() != nullptr ? covering() : this;
  if (of->row_ == nullptr)
    of->enter();
  if (of->row_ == nullptr)
    return;
  auto& memory = run_memory::current();
  const auto at = memory.offset_of(&word);
  of->row_->expected.store(expected, std::memory_order_relaxed);
  of->row_->word.store(at < memory.header().size ? at : 0,
                       std::memory_order_release);
}

void wait_note::sleeps() noexcept {
  auto* const of = covering() != nullptr ? covering() : this;
  if (of->row_ == nullptr)
    of->enter();
}

} // namespace troupe::memory
