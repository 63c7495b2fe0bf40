// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/memory/reference.hpp>

#include <cstddef>
#include <utility>

namespace troupe {

class copied_buffer;

/// Bytes in shared memory that go from process to process without being copied.
///
/// Sending a buffer sends its handle: 4 bytes, however large it is. Sender and
/// receiver then mean the same bytes; the usual contract is that the sender
/// writes, sends, and lets go. Who keeps writing takes turns under a mutex.
///
/// # What a crash leaves
/// The bytes that were written so far. The memory is given back when no living
/// process holds the buffer and no message carries it.
class buffer {
public:
  /// No bytes, and no memory.
  buffer() noexcept = default;

  /// `size` bytes, of which nothing is promised but that they can be written:
  /// the memory may be that of a buffer that has ended, and then costs nothing.
  /// Else from 4 MiB up to 1 GiB they take their memory now, in large pages
  /// where the kernel can; or page by page when first touched. Throws
  /// `limit_reached`, `invalid_state`.
  explicit buffer(std::size_t size);

  /// A copy of `source`. Throws as above.
  explicit buffer(bytes_view source);

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }

  [[nodiscard]] std::byte* data() const noexcept {
    return size_ != 0 ? reference_.data() : nullptr;
  }

  [[nodiscard]] std::byte* begin() const noexcept {
    return data();
  }

  [[nodiscard]] std::byte* end() const noexcept {
    return data() + size_;
  }

  [[nodiscard]] bytes_span bytes() const noexcept {
    return {data(), size_};
  }

  /// Makes this handle mean the first `size` bytes only; who is sent it sees as
  /// many. The memory stays. Throws `invalid_argument` if it has fewer.
  void shrink(std::size_t size);

  /// The same bytes, to be sent as bytes: see `copied_buffer`.
  [[nodiscard]] copied_buffer copied() const noexcept;

  void save(codec::encoder& to) const;

  /// Throws `malformed_bytes`, `stale_handle`, `limit_reached`.
  [[nodiscard]] static buffer load(codec::decoder& from);

private:
  memory::reference reference_;
  std::size_t size_ = 0;
};

/// A buffer that is sent as its bytes and not as a handle: whoever receives it
/// has a buffer of its own, with a copy of what there was when it was sent. It
/// crosses to other machines, where a handle means nothing.
///
///     double mean(const troupe::copied_buffer& image);
///     kitchen.start<mean>(image.copied());
///
/// Until it is sent it means the buffer that it was made of.
class copied_buffer {
public:
  /// Its bytes may be sent to another machine.
  static constexpr bool is_sent_as_bytes = true;

  /// Of no bytes.
  copied_buffer() noexcept = default;

  explicit copied_buffer(buffer of) noexcept : of_(std::move(of)) {
  }

  /// The buffer: at the receiver, its own.
  [[nodiscard]] const buffer& get() const noexcept {
    return of_;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return of_.size();
  }

  [[nodiscard]] bytes_span bytes() const noexcept {
    return of_.bytes();
  }

  void save(codec::encoder& to) const;

  /// Throws `malformed_bytes`, `limit_reached`.
  [[nodiscard]] static copied_buffer load(codec::decoder& from);

private:
  buffer of_;
};

inline copied_buffer buffer::copied() const noexcept {
  return copied_buffer{*this};
}

} // namespace troupe
