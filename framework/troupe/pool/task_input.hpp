// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>

namespace troupe::pooling {

template <class Range>
inline constexpr bool counts_up = false;
template <std::integral W, class Bound>
inline constexpr bool counts_up<std::ranges::iota_view<W, Bound>> = true;

/// Whether reading the items of a range waits for nothing and calls nothing of
/// a user's.
template <class Range>
inline constexpr bool is_in_memory = std::ranges::contiguous_range<Range>
                                     || counts_up<std::remove_cvref_t<Range>>;

/// An iterator that is not there at first. It needs no default constructor;
/// one that has one is kept in place.
template <class Iterator>
class late_iterator {
public:
  [[nodiscard]] bool is_there() const noexcept {
    return at_ != nullptr;
  }

  void set(Iterator at) {
    at_ = std::make_unique<Iterator>(std::move(at));
  }

  [[nodiscard]] Iterator& operator*() noexcept {
    return *at_;
  }

private:
  std::unique_ptr<Iterator> at_;
};

template <std::default_initializable Iterator>
class late_iterator<Iterator> {
public:
  [[nodiscard]] bool is_there() const noexcept {
    return is_there_;
  }

  void set(Iterator at) {
    at_ = std::move(at);
    is_there_ = true;
  }

  [[nodiscard]] Iterator& operator*() noexcept {
    return at_;
  }

private:
  Iterator at_{};
  bool is_there_ = false;
};

/// The arguments of tasks, read one after the other out of any input range.
///
/// The range is begun at the first read, and the step to an item is made when
/// that item is asked for: the step behind the last one that was read may wait
/// for an item that does not exist yet.
template <std::ranges::input_range View>
class task_input {
public:
  using reference = std::ranges::range_reference_t<View>;

  /// Whether the items stand in memory as an array of `T`.
  template <class T>
  static constexpr bool is_array_of
    = std::ranges::contiguous_range<View>
      && std::sized_sentinel_for<std::ranges::sentinel_t<View>,
                                 std::ranges::iterator_t<View>>
      && std::same_as<std::ranges::range_value_t<View>, T>;

  explicit task_input(View items) : items_(std::move(items)) {
  }

  /// Passes the next `most` items to `give`; returns how many there were.
  template <class Give>
  std::uint32_t read(std::size_t most, Give give) {
    begin();
    std::uint32_t count = 0;
    for (; count < most; ++count) {
      if (std::exchange(step_is_due_, false))
        ++*at_;
      if (*at_ == std::ranges::end(items_))
        break;
      give(**at_);
      step_is_due_ = true;
    }
    return count;
  }

  /// The same for items that stand in memory.
  auto read_array(std::size_t most)
    requires std::ranges::contiguous_range<View>
  {
    begin();
    const auto left = static_cast<std::size_t>(std::ranges::end(items_) - *at_);
    const auto count = std::min(most, left);
    const std::span some{std::to_address(*at_), count};
    *at_ += static_cast<std::ranges::range_difference_t<View>>(count);
    return some;
  }

private:
  void begin() {
    if (!at_.is_there())
      at_.set(std::ranges::begin(items_));
  }

  View items_;
  late_iterator<std::ranges::iterator_t<View>> at_;
  bool step_is_due_ = false;
};

} // namespace troupe::pooling
