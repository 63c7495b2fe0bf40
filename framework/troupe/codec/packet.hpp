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
/// Every handle in it counts as in flight, so its object lives. Whoever puts
/// the packet into a mailbox copies `body()` and `handles()` there and then
/// calls `release_handles()`; a packet that is destroyed before gives them up.
///
/// # What a crash leaves
/// A process killed while it owns a packet leaves the objects of the packet's
/// handles alive until the run ends.
class packet {
public:
  packet() noexcept = default;

  packet(packet&& other) noexcept
    : body_(std::move(other.body_)),
      handles_(std::move(other.handles_)),
      lent_(std::move(other.lent_)) {
    other.handles_.clear();
    other.lent_.clear();
  }

  packet& operator=(packet&& other) noexcept;

  ~packet() {
    clear();
  }

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

  [[nodiscard]] bool empty() const noexcept {
    return body_.size() == 0 && lent_.empty();
  }

  /// Writes over bytes of the body, which stand there already.
  void overwrite(std::size_t at, const void* from, std::size_t size) noexcept {
    body_.overwrite(at, from, size);
  }

  /// Adds handles to those that the bytes, which were copied, speak of.
  void carry(std::span<const memory::reference> objects);

  /// Someone else answers for the handles now: they are in a mailbox.
  void release_handles() noexcept {
    handles_.clear();
  }

  /// Makes the packet empty and gives up its handles; its memory stays, for
  /// the next message.
  void clear() noexcept;

private:
  friend class encoder;

  byte_buffer body_;
  std::vector<memory::object_id> handles_;
  std::vector<scattered_view::piece> lent_;
};

/// Own handles of the objects that a packet carries, in its order.
/// Throws `limit_reached`.
[[nodiscard]] std::vector<memory::reference> objects_of(const packet& of);

/// New shares of objects, for one more copy of a packet that carries them.
[[nodiscard]] std::vector<memory::object_id>
shares_of(std::span<const memory::reference> objects);

} // namespace troupe::codec
