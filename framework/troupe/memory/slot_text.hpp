// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::memory {

/// Text in a process slot: one process writes it, any process or thread may
/// read it, also while the slot is given to the next.
///
/// Reading is never undefined behaviour, but what is read while it is written
/// may be of both: whoever has read looks at the slot's generation again.
template <std::size_t N>
class slot_text {
public:
  static constexpr std::size_t capacity = N - 1;

  /// Writes as much of `text` as fits.
  void set(std::string_view text) noexcept {
    const auto size = std::min(text.size(), capacity);
    for (std::size_t at = 0; at < size; ++at)
      bytes_[at].store(text[at], std::memory_order_relaxed);
    bytes_[size].store('\0', std::memory_order_relaxed);
  }

  /// Writes what stands in `other`.
  void set(const slot_text& other) noexcept {
    for (std::size_t at = 0; at < N; ++at)
      bytes_[at].store(other.bytes_[at].load(std::memory_order_relaxed),
                       std::memory_order_relaxed);
  }

  void clear() noexcept {
    bytes_[0].store('\0', std::memory_order_relaxed);
  }

  [[nodiscard]] bool is_empty() const noexcept {
    return bytes_[0].load(std::memory_order_relaxed) == '\0';
  }

  /// The bytes are another process's: nothing says that a zero ends them.
  [[nodiscard]] std::string get() const {
    std::string text;
    for (const auto& byte : bytes_) {
      const auto each = byte.load(std::memory_order_relaxed);
      if (each == '\0')
        break;
      text.push_back(each);
    }
    return text;
  }

private:
  // relaxed: what publishes the text is the state or the generation of its
  // slot, or another word of its object, which the reader looks at before and
  // after.
  std::array<std::atomic<char>, N> bytes_{};
};

static_assert(sizeof(slot_text<256>) == 256);
static_assert(std::atomic<char>::is_always_lock_free);

} // namespace troupe::memory
