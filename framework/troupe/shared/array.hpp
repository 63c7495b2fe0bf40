// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/narrowing.hpp>
#include <troupe/shared/elements.hpp>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <ranges>
#include <span>

namespace troupe {

namespace shared {

/// Throws the `invalid_argument` that names the index and the size.
[[noreturn]] void refuse_index(std::size_t index, std::size_t size);
[[noreturn]] void refuse_slice(std::size_t first, std::size_t last,
                               std::size_t size);

void populate(std::span<std::byte> memory) noexcept;
void populate_to_write(std::span<std::byte> memory) noexcept;

} // namespace shared

/// A row of `T` in memory that processes share: Python's `Array`.
///
/// An `array` is a handle, as `std::span` is: copies of it, in whatever
/// process, mean the same elements, and those live until the last handle is
/// gone. Its size is fixed. It is a contiguous range, so it converts to
/// `std::span<T>` and goes into every algorithm of the standard library.
///
/// # Access
/// Elements are plain `T&`. Processes that write and read the *same* element at
/// the same time use `atomic(i)` or a mutex; different elements need neither.
/// What a process has written is visible to who joined it.
///
/// # Cost
/// An array made by its size takes memory page by page, when it is first
/// written or read, and is never copied on its way into a process.
///
/// # What a crash leaves
/// What was written so far. The memory is given back when no living process
/// holds it.
///
/// Any thread may use a handle that no other thread assigns to.
template <class T>
class array {
  static_assert((shared::require_shareable<T>(), true));

public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using iterator = T*;
  using const_iterator = const T*;

  /// `size` elements, all their bytes zero. Touches none of their pages.
  /// Throws `limit_reached`, `invalid_state`.
  explicit array(std::size_t size)
    : array(shared::elements::create(kind, type, size)) {
  }

  /// The elements listed: like `std::vector`'s, `array<int>{4}` is one 4 and
  /// `array<int>(4)` four zeros.
  array(std::initializer_list<T> values) : array(values.size()) {
    std::ranges::copy(values, begin());
  }

  /// A copy of `values`.
  template <std::ranges::forward_range Range>
    requires(!std::same_as<std::remove_cvref_t<Range>, array>
             && std::convertible_to<std::ranges::range_reference_t<Range>, T>)
  explicit array(const Range& values)
    : array(static_cast<std::size_t>(std::ranges::distance(values))) {
    codec::require_kept_value<std::ranges::range_reference_t<const Range&>,
                              T>();
    shared::populate_to_write(std::as_writable_bytes(span()));
    std::ranges::copy(values, begin());
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return elements_.count();
  }

  [[nodiscard]] bool empty() const noexcept {
    return size() == 0;
  }

  [[nodiscard]] T* data() const noexcept {
    return reinterpret_cast<T*>(elements_.data());
  }

  [[nodiscard]] T* begin() const noexcept {
    return data();
  }

  [[nodiscard]] T* end() const noexcept {
    return data() + size();
  }

  /// @pre `index < size()`
  [[nodiscard]] T& operator[](std::size_t index) const noexcept {
    return data()[index];
  }

  /// Throws `invalid_argument`, which names the index and the size.
  [[nodiscard]] T& at(std::size_t index) const {
    if (index >= size())
      shared::refuse_index(index, size());
    return data()[index];
  }

  [[nodiscard]] T& front() const noexcept {
    return *begin();
  }

  [[nodiscard]] T& back() const noexcept {
    return end()[-1];
  }

  [[nodiscard]] std::span<T> span() const noexcept {
    return {data(), size()};
  }

  /// The elements from `first` up to `last`, exclusive: Python's `a[1:3]`. They
  /// are the array's own, and must not outlive it.
  /// Throws `invalid_argument` unless `first <= last && last <= size()`.
  [[nodiscard]] std::span<T> slice(std::size_t first, std::size_t last) const {
    if (first > last || last > size())
      shared::refuse_slice(first, last, size());
    return {data() + first, last - first};
  }

  /// The elements from `first` to the end: Python's `a[1:]`.
  [[nodiscard]] std::span<T> slice(std::size_t first) const {
    return slice(first, size());
  }

  /// Makes every element `wanted`. A large array takes the memory that it has
  /// not taken yet in large pages, where the kernel can: see `populate`, also
  /// for when that is slow. `std::ranges::fill` takes small ones.
  void fill(const T& wanted) const noexcept {
    shared::populate_to_write(std::as_writable_bytes(span()));
    std::ranges::fill(*this, wanted);
  }

  /// Takes all of the array's memory now, in large pages where the kernel can.
  /// For large arrays that are read and written all over: the first write to
  /// every page, and the first read in every other process, then cost a
  /// fraction. What is in the array stays. For 1 GiB it takes a tenth of a
  /// second; some seconds where free memory is scattered, or where a virtual
  /// machine has given it back to its host.
  void populate() const noexcept {
    shared::populate(std::as_writable_bytes(span()));
  }

  /// The element at `index` as an atomic, with all that `std::atomic_ref` has.
  /// @pre `index < size()`
  [[nodiscard]] std::atomic_ref<T> atomic(std::size_t index) const noexcept
    requires std::atomic_ref<T>::is_always_lock_free
  {
    // The order is the caller's to say; seq_cst unless it says another.
    return std::atomic_ref<T>{data()[index]};
  }

  void save(codec::encoder& to) const {
    elements_.save(to);
  }

  [[nodiscard]] static array load(codec::decoder& from) {
    return array{shared::elements::load(from, kind, type)};
  }

private:
  static constexpr auto kind = memory::object_kind::array;
  static constexpr auto type = shared::element_type_of<T>();

  explicit array(shared::elements elements) noexcept
    : elements_(std::move(elements)) {
  }

  shared::elements elements_;
};

template <std::ranges::forward_range Range>
array(const Range&) -> array<std::ranges::range_value_t<Range>>;

} // namespace troupe
