// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/watch_list.hpp>

#include <troupe/memory/run_memory.hpp>

#include <bit>

namespace troupe::mailbox {

void watch_list::add(std::atomic<std::uint64_t>* bits,
                     std::uint32_t slot) noexcept {
  // Counted first: a watcher killed in between is one too many, not too few.
  count_.fetch_add(1, std::memory_order_seq_cst);
  const auto bit = 1ULL << (slot % 64);
  if ((bits[slot / 64].fetch_or(bit, std::memory_order_seq_cst) & bit) != 0)
    count_.fetch_sub(1, std::memory_order_seq_cst);
}

void watch_list::remove(std::atomic<std::uint64_t>* bits,
                        std::uint32_t slot) noexcept {
  const auto bit = 1ULL << (slot % 64);
  if ((bits[slot / 64].fetch_and(~bit, std::memory_order_seq_cst) & bit) != 0)
    count_.fetch_sub(1, std::memory_order_seq_cst);
}

void watch_list::notify(const std::atomic<std::uint64_t>* bits) const noexcept {
  notify(bits, memory::run_memory::current().header().slots / 64);
}

void watch_list::notify(const std::atomic<std::uint64_t>* bits,
                        std::uint32_t words) const noexcept {
  auto& memory = memory::run_memory::current();
  for (std::uint32_t word = 0; word < words; ++word) {
    for (auto left = bits[word].load(std::memory_order_seq_cst); left != 0;
         left &= left - 1) {
      const auto index = word * 64
                         + static_cast<std::uint32_t>(std::countr_zero(left));
      memory::notify(memory.slot(index));
    }
  }
}

} // namespace troupe::mailbox
