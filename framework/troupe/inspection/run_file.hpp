// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/head_page.hpp>
#include <troupe/memory/object.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/proc.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

namespace troupe::inspection {

/// A copy of a structure of shared memory, to be asked by its own functions.
template <class T>
class copy_of {
public:
  [[nodiscard]] const T& operator*() const noexcept {
    return *std::launder(reinterpret_cast<const T*>(bytes_.data()));
  }

  [[nodiscard]] const T* operator->() const noexcept {
    return &**this;
  }

  [[nodiscard]] std::span<std::byte> bytes() noexcept {
    return bytes_;
  }

private:
  static_assert(std::is_trivially_destructible_v<T>);

  alignas(T) std::array<std::byte, sizeof(T)> bytes_{};
};

/// The run's memory as a file, every offset of which is checked before it is
/// read: what stands in it is another program's.
class run_file {
public:
  /// `why` is set if it is no run's memory, or of another layout.
  run_file(int fd, std::string& why);

  [[nodiscard]] const memory::run_header& header() const noexcept {
    return *header_;
  }

  /// Whether objects of that kind are laid out as this program lays them out,
  /// or there are none.
  [[nodiscard]] bool knows(memory::object_kind kind) const noexcept;

  /// Reads `into.size()` bytes, all of them or none.
  [[nodiscard]] bool read(std::uint64_t at, std::span<std::byte> into) const;

  template <class T>
  [[nodiscard]] bool read(std::uint64_t at, copy_of<T>& into) const {
    return read(at, into.bytes());
  }

  template <class T>
  [[nodiscard]] std::optional<T> read_value(std::uint64_t at) const {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    if (!read(at, std::as_writable_bytes(std::span{&value, 1})))
      return std::nullopt;
    return value;
  }

  /// The text that has this number: see `memory::origin`. Empty for none.
  [[nodiscard]] std::string text_at(std::uint64_t number) const;

  [[nodiscard]] std::uint64_t slot_at(std::uint32_t index) const noexcept {
    return 4096 + std::uint64_t{index} * sizeof(memory::process_slot);
  }

  [[nodiscard]] std::uint64_t waits_at(std::uint32_t index) const noexcept {
    return header_->waits_at + std::uint64_t{index} * sizeof(memory::wait_rows);
  }

  [[nodiscard]] std::uint64_t head_at(std::uint32_t index) const noexcept {
    return header_->heads + std::uint64_t{index} * sizeof(memory::object_head);
  }

  /// Slots that were ever used.
  [[nodiscard]] std::uint32_t slots_used() const noexcept;

  /// The head whose object has `place` in its payload; nothing if none has.
  [[nodiscard]] std::optional<std::uint32_t> head_of(std::uint64_t place) const;

  /// The slot that `place` lies in; nothing if it lies in none.
  [[nodiscard]] std::optional<std::uint32_t>
  slot_of(std::uint64_t place) const noexcept;

  /// Calls `visit(index, head)` for each head in a page that is in use, of
  /// which a side lives. Stops when `visit` returns false.
  template <class Visit>
  void for_each_head(Visit visit) const {
    constexpr std::uint32_t at_once = 4096 / sizeof(memory::head_page);
    const auto high = pages_used();
    for (std::uint32_t first = 0; first < high;) {
      const auto at = header_->pages_at
                      + std::uint64_t{first} * sizeof(memory::head_page);
      const auto data = os::next_data(fd_, at);
      // Beyond a hole of pages that were never used.
      if (data > at) {
        const auto next = data < header_->pages_at
                            ? high
                            : (data - header_->pages_at)
                                / sizeof(memory::head_page);
        if (next >= high)
          return;
        first = static_cast<std::uint32_t>(next);
      }
      std::array<copy_of<memory::head_page>, at_once> pages;
      const auto count = std::min(at_once, high - first);
      for (std::uint32_t i = 0; i < count; ++i)
        if (!read(header_->pages_at
                    + std::uint64_t{first + i} * sizeof(memory::head_page),
                  pages[i]))
          return;
      for (std::uint32_t i = 0; i < count; ++i) {
        const auto word = pages[i]->word.load(std::memory_order_relaxed);
        if (memory::head_page::state_of(word) == memory::page_state::open
            && !visit_page(first + i, visit))
          return;
      }
      first += count;
    }
  }

private:
  template <class Visit>
  bool visit_page(std::uint32_t page, Visit& visit) const {
    for (std::uint32_t i = 0; i < memory::head_page::heads; ++i) {
      const auto index = page * memory::head_page::heads + i;
      copy_of<memory::object_head> head;
      if (!read(head_at(index), head))
        return false;
      const auto life = head->life_now().state();
      if ((life == memory::life_state::alive
           || life == memory::life_state::ended)
          && !visit(index, head))
        return false;
    }
    return true;
  }

  [[nodiscard]] std::uint32_t pages_used() const noexcept;

  int fd_;
  std::uint64_t size_ = 0;
  copy_of<memory::run_header> header_;
};

} // namespace troupe::inspection
