// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/reference.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/node_name.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/type_id.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace troupe::transport {

/// CAF's inspectors write into this: straight into a piece of memory (a ring)
/// or into a buffer that grows.
///
/// CAF's own binary serialiser can only append to a vector of its own. Numbers
/// are written as the machine has them: the reader is on the same machine.
class byte_writer final : public version::writer_base {
public:
  using byte = version::byte;
  using text_view = version::text_view;

  /// Writes into `[first, last)`; a value that does not fit fails. Without an
  /// actor system there are no actor handles to write.
  byte_writer(caf::actor_system* system, std::byte* first, std::byte* last)
    : version::writer_base(system), at_(first), first_(first), last_(last) {
  }

  /// Writes into `growing` from `offset` on, and enlarges it as needed; it may
  /// be larger than what was written.
  byte_writer(caf::actor_system* system, std::vector<std::byte>& growing,
              std::size_t offset)
    : version::writer_base(system), growing_(&growing) {
    if (growing.size() < offset + 256)
      growing.resize(offset + 256);
    first_ = growing.data();
    at_ = first_ + offset;
    last_ = first_ + growing.size();
  }

  /// Bytes written, `offset` included.
  [[nodiscard]] std::size_t written() const noexcept {
    return static_cast<std::size_t>(at_ - first_);
  }

  /// Writes a handle. Whoever sends the bytes sees to it that the object lives
  /// until they are read: see `objects`.
  bool handle(const memory::reference& object) {
    objects_.push_back(object);
    return put(object.kind()) && put(object.id());
  }

  /// The objects of which handles were written.
  [[nodiscard]] std::vector<memory::reference>& objects() noexcept {
    return objects_;
  }

  /// The actors of this run of which handles were written, in that order.
  [[nodiscard]] const std::vector<actor_name>& actors() const noexcept {
    return actors_;
  }

  /// Where each of them begins, counted as `written`.
  [[nodiscard]] const std::vector<std::size_t>& places() const noexcept {
    return places_;
  }

  /// Appends bytes as they are. False where they do not fit.
  bool append(const void* from, std::size_t size) {
    if (static_cast<std::size_t>(last_ - at_) < size && !grow(size))
      return false;
    if (size >= streams_from && growing_ == nullptr)
      append_many(from, size);
    else if (size != 0)
      std::memcpy(at_, from, size);
    at_ += size;
    return true;
  }

  bool begin_object(caf::type_id_t type, text_view) override {
    ++depth_;
    return is_plain(type) || begin_special(type);
  }
  bool end_object() override {
    if (depth_-- == handle_depth_)
      end_handle();
    return true;
  }
  bool begin_field(text_view) override {
    return true;
  }
  bool begin_field(text_view, bool is_present) override {
    return put(static_cast<std::uint8_t>(is_present));
  }
  bool begin_field(text_view, caf::span<const caf::type_id_t>,
                   std::size_t index) override {
    return put(static_cast<std::uint32_t>(index));
  }
  bool begin_field(text_view, bool is_present, caf::span<const caf::type_id_t>,
                   std::size_t index) override {
    return put(is_present ? static_cast<std::uint32_t>(index) : 0xFFFF'FFFFU);
  }
  bool end_field() override {
    return true;
  }
  bool begin_tuple(std::size_t) override {
    return true;
  }
  bool end_tuple() override {
    return true;
  }
  bool begin_sequence(std::size_t size) override {
    return put(static_cast<std::uint64_t>(size));
  }
  bool end_sequence() override {
    return true;
  }
  using caf::serializer::value;
  bool value(byte x) override {
    return put(x);
  }
  bool value(bool x) override {
    return put(static_cast<std::uint8_t>(x));
  }
  bool value(std::int8_t x) override {
    return put(x);
  }
  bool value(std::uint8_t x) override {
    return put(x);
  }
  bool value(std::int16_t x) override {
    return put(x);
  }
  bool value(std::uint16_t x) override {
    return put(x);
  }
  bool value(std::int32_t x) override {
    return put(x);
  }
  bool value(std::uint32_t x) override {
    return put(x);
  }
  bool value(std::int64_t x) override {
    return put(x);
  }
  bool value(std::uint64_t x) override {
    return put(x);
  }
  bool value(float x) override {
    return put(x);
  }
  bool value(double x) override {
    return put(x);
  }
  bool value(long double x) override {
    return put(x);
  }
  bool value(text_view x) override {
    return begin_sequence(x.size()) && append(x.data(), x.size());
  }
  bool value(const std::u16string& x) override {
    return begin_sequence(x.size()) && append(x.data(), x.size() * 2);
  }
  bool value(const std::u32string& x) override {
    return begin_sequence(x.size()) && append(x.data(), x.size() * 4);
  }
  bool value(caf::span<const byte> x) override {
    return append(x.data(), x.size());
  }
  using caf::serializer::list;
  bool list(const std::vector<bool>& xs) override {
    if (!begin_sequence(xs.size()))
      return false;
    for (const bool x : xs)
      if (!value(x))
        return false;
    return true;
  }

private:
  template <class T>
  bool put(T x) {
    return append(&x, sizeof x);
  }

  /// Neither a handle of an actor, which others may know then, nor what cannot
  /// leave the process.
  [[nodiscard]] static bool is_plain(caf::type_id_t type) noexcept {
    return type != caf::type_id_v<caf::strong_actor_ptr>
           && !version::is_group(type);
  }

  bool begin_special(caf::type_id_t type);
  void end_handle();

  bool grow(std::size_t more);
  void append_many(const void* from, std::size_t size) noexcept;

  /// From so many bytes on it matters how they get into a ring.
  static constexpr std::size_t streams_from = 8 << 10;

  std::byte* at_;
  std::byte* first_;
  std::byte* last_;
  std::vector<std::byte>* growing_ = nullptr;
  std::vector<memory::reference> objects_;
  std::vector<actor_name> actors_;
  std::vector<std::size_t> places_;
  std::uint32_t depth_ = 0;
  /// How deep the handle of an actor is that is being written, and where its
  /// bytes begin; no depth: none.
  static constexpr std::uint32_t no_depth = 0xFFFF'FFFF;
  std::uint32_t handle_depth_ = no_depth;
  std::size_t handle_at_ = 0;
};

} // namespace troupe::transport
