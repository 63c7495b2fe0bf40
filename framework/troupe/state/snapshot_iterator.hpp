// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

namespace troupe::held {

/// Goes over a copy of a container as it was when the first iterator was made:
/// a consistent one, however much others change it meanwhile.
template <class Container>
class snapshot_iterator {
public:
  using value_type = typename Container::value_type;
  using difference_type = std::ptrdiff_t;
  using reference = const value_type&;
  using pointer = const value_type*;
  using iterator_category = std::input_iterator_tag;

  snapshot_iterator() noexcept = default;

  explicit snapshot_iterator(Container all)
    : all_(std::make_shared<const Container>(std::move(all))),
      at_(all_->begin()) {
  }

  [[nodiscard]] const value_type& operator*() const noexcept {
    return *at_;
  }

  [[nodiscard]] const value_type* operator->() const noexcept {
    return &*at_;
  }

  snapshot_iterator& operator++() {
    ++at_;
    return *this;
  }

  snapshot_iterator operator++(int) {
    auto before = *this;
    ++at_;
    return before;
  }

  friend bool operator==(const snapshot_iterator& a,
                         const snapshot_iterator& b) noexcept {
    return a.all_ == b.all_ && (!a.all_ || a.at_ == b.at_);
  }

  friend bool operator==(const snapshot_iterator& at, std::default_sentinel_t) {
    return !at.all_ || at.at_ == at.all_->end();
  }

private:
  std::shared_ptr<const Container> all_;
  typename Container::const_iterator at_{};
};

} // namespace troupe::held
