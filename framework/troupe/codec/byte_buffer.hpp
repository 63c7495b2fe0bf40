// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/copy.hpp>

#include <cstddef>
#include <cstring>
#include <utility>

namespace troupe::codec {

/// Bytes that grow at their end. Unlike a vector it never writes zeros that
/// are overwritten at once, and its `append` is small enough to be inlined.
class byte_buffer {
public:
  byte_buffer() noexcept = default;

  byte_buffer(byte_buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {
  }

  byte_buffer& operator=(byte_buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  ~byte_buffer();

  /// Throws `std::bad_alloc`; the buffer is as before then.
  void append(const void* from, std::size_t size) {
    if (size > capacity_ - size_)
      grow(size);
    // An empty container may give a null pointer.
    copy_bytes(data_ + size_, from, size);
    size_ += size;
  }

  /// Writes over bytes that are there. @pre `at + size` is not behind the end
  void overwrite(std::size_t at, const void* from, std::size_t size) noexcept {
    std::memcpy(data_ + at, from, size);
  }

  /// Makes the buffer empty; its memory stays.
  void clear() noexcept {
    size_ = 0;
  }

  void reserve(std::size_t capacity) {
    if (capacity > capacity_)
      grow(capacity - size_);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] bytes_view view() const noexcept {
    return {data_, size_};
  }

private:
  void grow(std::size_t more);

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace troupe::codec
