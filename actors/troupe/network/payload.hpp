// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace troupe::network {

/// Who counts what is kept of the messages that came.
class payload_account {
public:
  virtual void kept(std::size_t size) noexcept = 0;
  virtual void released(std::size_t size) noexcept = 0;

protected:
  ~payload_account() = default;
};

/// The bytes of a message that came. Its end gives the sender leave to send as
/// much again.
class payload {
public:
  payload() noexcept = default;

  /// Memory for `size` bytes, which are not set: the system gives pages only as
  /// they are written.
  explicit payload(std::size_t size)
    : data_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {
  }

  payload(payload&& other) noexcept
    : data_(std::move(other.data_)),
      size_(std::exchange(other.size_, 0)),
      account_(std::move(other.account_)) {
  }

  payload& operator=(payload&& other) noexcept {
    if (this != &other) {
      reset();
      data_ = std::move(other.data_);
      size_ = std::exchange(other.size_, 0);
      account_ = std::move(other.account_);
    }
    return *this;
  }

  payload(const payload&) = delete;
  payload& operator=(const payload&) = delete;

  ~payload() {
    reset();
  }

  /// From now on `by` counts it, until it ends.
  void count(std::shared_ptr<payload_account> by) noexcept {
    account_ = std::move(by);
    account_->kept(size_);
  }

  /// Gives the leave now.
  void count_no_more() noexcept {
    if (const auto by = std::exchange(account_, nullptr))
      by->released(size_);
  }

  [[nodiscard]] std::byte* data() noexcept {
    return data_.get();
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] bytes_view view() const noexcept {
    return {data_.get(), size_};
  }

private:
  void reset() noexcept {
    data_.reset();
    count_no_more();
  }

  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
  std::shared_ptr<payload_account> account_;
};

} // namespace troupe::network
