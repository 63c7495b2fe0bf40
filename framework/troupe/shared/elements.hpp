// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/hash.hpp>
#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/codec/type_name.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/shared/shareable.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace troupe::shared {

/// What the elements of a shared object are: enough to refuse a handle of
/// another type, and to say in the error which it was.
struct element_type {
  std::uint64_t fingerprint;
  std::uint64_t size;
  std::string_view name;
};

/// The processes of a run are one program, so its compiler's name of a type is
/// the same in all of them.
template <class T>
[[nodiscard]] constexpr element_type element_type_of() noexcept {
  constexpr auto name = codec::type_name<T>();
  return {hash_of(name), sizeof(T), name};
}

/// The head of a value's or an array's payload.
///
///     0     fingerprint   of the element type's name
///     8     size          of one element
///     16    count
///     24    name          of the element type, cut, ends in a zero
///     64    the element, if it is a value's of up to 64 bytes; so a small value
///           stands in its head
///     128   other elements
///
/// Written before the object's magic says that it is there to be attached, and
/// never changed.
struct element_header {
  std::uint64_t fingerprint;
  std::uint64_t size;
  std::uint64_t count;
  std::array<char, 40> name;
};

static_assert(sizeof(element_header) == 64);

/// Where the elements start.
[[nodiscard]] constexpr std::size_t
elements_at(memory::object_kind kind, const element_type& type) noexcept {
  return kind == memory::object_kind::value && type.size <= 64 ? 64 : 128;
}

/// A hold on `count` elements in shared memory, of a type given at run time:
/// what `value` and `array` have in common.
class elements {
public:
  /// All zero, no page of them touched but the first.
  /// Throws `limit_reached`, `invalid_state`.
  [[nodiscard]] static elements
  create(memory::object_kind kind, const element_type& type, std::size_t count);

  /// Takes a handle out of a message. Throws `malformed_bytes` if it is there,
  /// but of another kind or element type; `stale_handle`, `limit_reached`.
  [[nodiscard]] static elements load(codec::decoder& from,
                                     memory::object_kind kind,
                                     const element_type& type);

  elements(const elements&) = default;
  elements& operator=(const elements&) = default;

  elements(elements&& other) noexcept
    : reference_(std::move(other.reference_)),
      data_(std::exchange(other.data_, nullptr)),
      count_(std::exchange(other.count_, 0)) {
  }

  elements& operator=(elements&& other) noexcept {
    reference_ = std::move(other.reference_);
    data_ = std::exchange(other.data_, nullptr);
    count_ = std::exchange(other.count_, 0);
    return *this;
  }

  ~elements() = default;

  void save(codec::encoder& to) const {
    to.handle(reference_);
  }

  [[nodiscard]] std::byte* data() const noexcept {
    return data_;
  }

  [[nodiscard]] std::size_t count() const noexcept {
    return count_;
  }

  [[nodiscard]] const memory::reference& reference() const noexcept {
    return reference_;
  }

private:
  elements(memory::reference reference, std::size_t at,
           std::size_t count) noexcept
    : reference_(std::move(reference)),
      data_(reference_.data() + at),
      count_(count) {
  }

  memory::reference reference_;
  std::byte* data_;
  std::size_t count_;
};

} // namespace troupe::shared
