// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace troupe {

/// The iterator of what is read item by item and gives each only once: a queue,
/// the results of `imap`. `Source` has a `next` that gives an optional `T`,
/// waiting for it, and nothing at the end.
///
/// An item is taken when it is looked at: by `*`, or by the comparison with the
/// end, whichever comes first, and by neither a second time. Making the
/// iterator takes nothing and `++` takes nothing either, unless it passes an
/// item that nobody has looked at. So `std::views::take(3)` takes three.
/// It can be moved and not copied, like that of `std::views::istream`.
template <class T, class Source>
class reading_iterator {
public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  explicit reading_iterator(Source& from) noexcept : from_(&from) {
  }

  ~reading_iterator() = default;
  reading_iterator(reading_iterator&&) = default;

  reading_iterator& operator=(reading_iterator&& other) noexcept(
    std::is_nothrow_move_constructible_v<T>) {
    from_ = other.from_;
    looked_ = other.looked_;
    keep(std::move(other.item_));
    return *this;
  }

  /// @blocks on whoever gives the item, if that was not looked at
  reading_iterator& operator++() {
    look();
    if (item_) {
      item_.reset();
      looked_ = false;
    }
    return *this;
  }

  void operator++(int) {
    ++*this;
  }

  /// @pre this is not the end
  /// @blocks on whoever gives the item
  [[nodiscard]] T& operator*() const {
    look();
    return *item_;
  }

  /// @blocks on whoever gives the item
  friend bool operator==(const reading_iterator& at, std::default_sentinel_t) {
    at.look();
    return !at.item_;
  }

private:
  void look() const {
    if (looked_)
      return;
    keep(from_->next());
    looked_ = true;
  }

  /// An item with constant members is not assigned to.
  void keep(std::optional<T> item) const {
    item_.reset();
    if (item)
      item_.emplace(std::move(*item));
  }

  Source* from_;
  mutable std::optional<T> item_;
  mutable bool looked_ = false;
};

} // namespace troupe
