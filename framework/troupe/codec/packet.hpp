// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/scattered_view.hpp>
#include <troupe/codec/byte_buffer.hpp>
#include <troupe/memory/reference.hpp>

#include <span>
#include <vector>

namespace troupe::codec {

/// An encoded message: its bytes, and the handles that it carries.
///
/// Large parts of the values may have been lent instead of copied (see
/// `lends`): then only `content()` shows all of it.
///
/// It holds the object of every handle in it. Whoever has put `body()` and
/// `handles()` into a mailbox, which takes shares of its own, may call
/// `release_handles()`.
///
/// # What a crash leaves
/// Nothing.
class packet {
public:
  packet() noexcept = default;

  packet(packet&& other) noexcept
    : body_(std::move(other.body_)),
      handles_(std::move(other.handles_)),
      objects_(std::move(other.objects_)),
      lent_(std::move(other.lent_)) {
    other.release_handles();
    other.lent_.clear();
  }

  packet& operator=(packet&& other) noexcept;

  ~packet() = default;

  /// The bytes. @pre nothing was lent
  [[nodiscard]] bytes_view body() const noexcept {
    return body_.view();
  }

  /// The bytes, what was lent included.
  [[nodiscard]] scattered_view content() const noexcept {
    return {body_.view(), lent_};
  }

  [[nodiscard]] std::span<const memory::object_id> handles() const noexcept {
    return handles_;
  }

  /// The objects of `handles()`, in that order.
  [[nodiscard]] std::span<const memory::reference> objects() const noexcept {
    return objects_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return body_.size() == 0 && lent_.empty();
  }

  /// Writes over bytes of the body, which stand there already.
  void overwrite(std::size_t at, const void* from, std::size_t size) noexcept {
    body_.overwrite(at, from, size);
  }

  /// Adds handles to those that the bytes, which were copied, speak of.
  void carry(std::span<const memory::reference> objects);

  /// Holds the objects no longer, and has no handles any more.
  void release_handles() noexcept {
    handles_.clear();
    objects_.clear();
  }

  /// Makes the packet empty; its memory stays, for the next message.
  void clear() noexcept {
    body_.clear();
    lent_.clear();
    release_handles();
  }

private:
  friend class encoder;

  void add(const memory::reference& object);

  byte_buffer body_;
  std::vector<memory::object_id> handles_;
  std::vector<memory::reference> objects_;
  std::vector<scattered_view::piece> lent_;
};

/// Own handles of the objects that a packet carries, in its order.
[[nodiscard]] inline std::vector<memory::reference>
objects_of(const packet& of) {
  return {of.objects().begin(), of.objects().end()};
}

/// The handles of objects, as a message has them.
[[nodiscard]] std::vector<memory::object_id>
handles_of(std::span<const memory::reference> objects);

} // namespace troupe::codec
