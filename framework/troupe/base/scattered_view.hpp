// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/copy.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

namespace troupe {

/// Somebody else's bytes that stand in several places and belong together, so
/// that they are copied once: to where they are sent.
class scattered_view {
public:
  /// Bytes that come behind the first `at` of the main ones.
  struct piece {
    std::size_t at = 0;
    bytes_view bytes;
  };

  scattered_view() noexcept = default;

  /// Bytes in one place.
  template <std::convertible_to<bytes_view> Bytes>
  scattered_view(Bytes&& whole) noexcept // NOLINT: it is one, too
    : main_(std::forward<Bytes>(whole)), size_(main_.size()) {
  }

  /// `pieces` are in the order of their places.
  scattered_view(bytes_view main, std::span<const piece> pieces) noexcept
    : main_(main), pieces_(pieces), size_(main.size()) {
    for (const auto& each : pieces)
      size_ += each.bytes.size();
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }

  /// Writes all `size()` bytes, in order.
  void copy_to(std::byte* to) const noexcept {
    copy_to(to, copy_bytes);
  }

  /// The same, each piece by `copy(to, from, size)`, which counts it.
  template <class Copy>
  void copy_to(std::byte* to, Copy copy) const noexcept {
    std::size_t done = 0;
    for (const auto& each : pieces_) {
      copy(to, main_.data() + done, each.at - done);
      to += each.at - done;
      done = each.at;
      copy(to, each.bytes.data(), each.bytes.size());
      to += each.bytes.size();
    }
    copy(to, main_.data() + done, main_.size() - done);
  }

private:
  bytes_view main_;
  std::span<const piece> pieces_;
  std::size_t size_ = 0;
};

} // namespace troupe
