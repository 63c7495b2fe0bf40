// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/context.hpp>
#include <troupe/codec/packet.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace troupe::codec {

/// How deep containers, pointers and user types may stand in one another in a
/// message. A chain longer than that is refused on both sides, so that no
/// message can exhaust the stack of who reads it.
inline constexpr std::uint32_t max_depth = 256;

/// Stands in a message for a handle that refers to nothing.
inline constexpr std::uint32_t no_handle = 0xFFFF'FFFF;

/// Whether a packet may show large parts of the values where they stand instead
/// of copying them. They must then stay as they are until the packet has been
/// put into a mailbox, cleared or destroyed.
enum class lends : bool { no, yes };

/// Arrays of at least so many bytes are lent.
inline constexpr std::size_t smallest_lent = 16 << 10;

/// Appends values to a packet.
///
/// Numbers are written as the machine has them: the reader is the same program
/// on the same machine. Nothing is aligned. If a call throws, what was written
/// so far stands in the packet; throw it away or `clear()` it.
class encoder {
public:
  /// `whom_for` must outlive the encoder.
  explicit encoder(packet& into, lends parts = lends::no,
                   context* whom_for = nullptr) noexcept
    : into_(&into), lends_(parts == lends::yes), context_(whom_for) {
  }

  /// Returns what was said of whom the bytes are for, if that is a `T`; else
  /// nullptr.
  template <class T>
  [[nodiscard]] T* context_as() const noexcept {
    return dynamic_cast<T*>(context_);
  }

  /// Appends a value of any type that can be sent.
  /// Throws `invalid_argument` (nested deeper than `max_depth`, a variant
  /// without a value, an inspect function that refuses), `std::bad_alloc`.
  /// Needs `<troupe/codec/codec.hpp>`.
  template <class T>
  void save(const T& value);

  /// Appends `size` bytes as they are.
  void write(const void* from, std::size_t size) {
    into_->body_.append(from, size);
  }

  /// Appends `size` bytes that are part of the value itself, and not of
  /// something made to be saved.
  void write_part(const void* from, std::size_t size) {
    if (lends_ && size >= smallest_lent)
      into_->lent_.push_back(
        {into_->body_.size(), {static_cast<const std::byte*>(from), size}});
    else
      write(from, size);
  }

  /// Appends a number of elements, 8 bytes.
  void count(std::size_t elements) {
    const auto number = std::uint64_t{elements};
    write(&number, sizeof number);
  }

  /// Appends a handle. From now on the packet keeps the object alive. An empty
  /// reference arrives as an empty reference.
  void handle(const memory::reference& object);

  /// Appends handles, of whatever kinds and how many. None may be empty.
  void handles(std::span<const memory::reference> objects);

  /// Counts one level of nesting for as long as it lives.
  class level {
  public:
    level(encoder& of, std::string_view type) : of_(of) {
      if (of_.depth_ == max_depth)
        of_.too_deep(type);
      ++of_.depth_;
    }
    level(const level&) = delete;
    level& operator=(const level&) = delete;
    ~level() {
      --of_.depth_;
    }

  private:
    encoder& of_;
  };

  /// While it lives everything is copied: the code that runs may save what it
  /// has made itself.
  class copying {
  public:
    explicit copying(encoder& of) noexcept
      : of_(of), before_(std::exchange(of.lends_, false)) {
    }
    copying(const copying&) = delete;
    copying& operator=(const copying&) = delete;
    ~copying() {
      of_.lends_ = before_;
    }

  private:
    encoder& of_;
    bool before_;
  };

  /// Throws the `invalid_argument` that says why `type` cannot be encoded.
  [[noreturn]] void refuse(std::string_view type, std::string_view why) const;

private:
  [[noreturn]] void too_deep(std::string_view type) const;

  packet* into_;
  std::uint32_t depth_ = 0;
  bool lends_;
  context* context_;
};

} // namespace troupe::codec
