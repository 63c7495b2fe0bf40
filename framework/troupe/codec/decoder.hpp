// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/memory/reference.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace troupe::codec {

/// Reads values out of bytes that nobody has checked.
///
/// Whatever the bytes are, a call returns a value or throws `malformed_bytes`
/// naming the type and the position; it never reads outside of them, and never
/// allocates for more elements than the bytes that are left can hold.
///
/// The objects of the handles are kept alive by what the message is in, for at
/// least as long as the decoder lives: it only attaches, so that nothing is
/// lost if its process is killed.
class decoder {
public:
  /// `body`, `handles` and `whom_from` must outlive the decoder. `what` names
  /// the whole message in error texts.
  decoder(bytes_view body, std::span<const memory::object_id> handles,
          std::string_view what = "a message",
          context* whom_from = nullptr) noexcept
    : body_(body), handles_(handles), what_(what), context_(whom_from) {
  }

  /// Returns what was said of whom the bytes are from, if that is a `T`; else
  /// nullptr.
  template <class T>
  [[nodiscard]] T* context_as() const noexcept {
    return dynamic_cast<T*>(context_);
  }

  /// Reads a value of any type that can be sent.
  /// Throws `malformed_bytes`; `stale_handle` and `limit_reached` for handles.
  /// Needs `<troupe/codec/codec.hpp>`.
  template <class T>
  [[nodiscard]] T load();

  /// Reads into `value`, which may be an array.
  template <class T>
  void load_into(T& value);

  /// Takes `size` bytes as they are. `type` is for the error text.
  [[nodiscard]] const std::byte* take(std::size_t size, std::string_view type) {
    if (size > left())
      too_short(size, type);
    const auto* taken = body_.data() + at_;
    at_ += size;
    return taken;
  }

  /// Reads a number of elements of which each takes `least` bytes or more,
  /// `least` being at least 1.
  [[nodiscard]] std::size_t count(std::size_t least, std::string_view type) {
    std::uint64_t number = 0;
    std::memcpy(&number, take(sizeof number, type), sizeof number);
    if (number > left() / least)
      too_many(number, least, type);
    return static_cast<std::size_t>(number);
  }

  /// Takes a handle out of the message; each can be taken once. An empty
  /// reference if an empty one was sent.
  /// Throws `malformed_bytes`, and what `memory::reference::attach` throws.
  [[nodiscard]] memory::reference handle(memory::object_kind kind);

  /// Takes the handles that `encoder::handles` wrote.
  [[nodiscard]] std::vector<memory::reference> handles();

  /// Takes all handles that are left, whatever they are of: for who passes the
  /// bytes on. Throws what `memory::reference::attach` throws.
  [[nodiscard]] std::vector<memory::reference> handles_left();

  /// Bytes not read so far.
  [[nodiscard]] std::size_t left() const noexcept {
    return body_.size() - at_;
  }

  /// Throws `malformed_bytes` unless every byte and every handle was read.
  void finish() const {
    if (left() != 0 || taken_ != handles_.size())
      left_over();
  }

  /// Throws the `malformed_bytes` that says why there is no `type` here.
  [[noreturn]] void refuse(std::string_view type, std::string_view why) const;

  /// Counts one level of nesting for as long as it lives.
  class level {
  public:
    level(decoder& of, std::string_view type) : of_(of) {
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
    decoder& of_;
  };

private:
  [[nodiscard]] memory::reference take_handle(memory::object_kind kind);
  [[noreturn]] void left_over() const;
  [[noreturn]] void too_short(std::size_t size, std::string_view type) const;
  [[noreturn]] void too_many(std::uint64_t number, std::size_t least,
                             std::string_view type) const;
  [[noreturn]] void too_deep(std::string_view type) const;

  bytes_view body_;
  std::span<const memory::object_id> handles_;
  std::string_view what_;
  context* context_;
  std::size_t at_ = 0;
  std::size_t taken_ = 0;
  std::uint32_t depth_ = 0;
};

} // namespace troupe::codec
