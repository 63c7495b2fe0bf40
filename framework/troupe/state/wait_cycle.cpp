// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/wait_cycle.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>

#include <cstdint>

namespace troupe::held {

namespace {

using memory::run_memory;
using memory::slot_id;

/// How many states wait one for the other from `first` to this process; 0: it
/// is none of those.
std::uint32_t waiting_for_us(slot_id first) noexcept {
  auto& memory = run_memory::current();
  const auto self = memory.self();
  const auto most = memory.header().slots;
  auto at = first;
  for (std::uint32_t length = 1; length <= most; ++length) {
    if (at == self)
      return length;
    const auto* slot = memory.find(at);
    // seq_cst: of those who close a cycle at once, the last sees the others.
    const auto next = slot != nullptr ? slot->waits_for.load() : 0;
    if (next == 0)
      return 0;
    at = slot_id::unpacked(next);
  }
  // A cycle of others: they have been told.
  return 0;
}

/// Each word was read at its own time. What leads to one who waits for this
/// process stays as it is, since nobody there answers; so each time that the
/// whole is there again, one more of its words is known to last.
bool closes_cycle(slot_id callee) noexcept {
  auto length = waiting_for_us(callee);
  for (std::uint32_t turn = 1; turn < length; ++turn)
    if (const auto again = waiting_for_us(callee); again == 0)
      return false;
    else
      length = again;
  return length != 0;
}

} // namespace

wait_cycle_guard::wait_cycle_guard(slot_id callee) {
  auto& word = run_memory::current().own_slot().waits_for;
  word.store(callee.packed());
  if (closes_cycle(callee)) {
    word.store(0);
    throw would_deadlock("call a state from a function that another runs",
                         "that one waits, itself or through others, for this "
                         "state to answer",
                         "let one of them return before the other is called");
  }
}

wait_cycle_guard::~wait_cycle_guard() {
  run_memory::current().own_slot().waits_for.store(0);
}

void wait_cycle_guard::answered(std::uint64_t client) noexcept {
  auto& memory = run_memory::current();
  auto expected = memory.self().packed();
  if (auto* slot = memory.find(slot_id::unpacked(client)))
    slot->waits_for.compare_exchange_strong(expected, 0);
}

} // namespace troupe::held
