// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/homecoming.hpp>
#include <troupe/transport/node_name.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace troupe::transport {

/// CAF's inspectors read what `byte_writer` wrote. Believes nothing: whatever
/// the bytes are, a call reads a value or fails; it never reads outside of the
/// bytes, never allocates for more elements than they can hold, and a list of
/// elements that take no bytes is bounded as well.
class byte_reader final : public version::reader_base {
public:
  using byte = version::byte;
  using text_view = version::text_view;

  byte_reader(caf::actor_system* system, version::execution_context* context,
              bytes_view from)
    : version::reader_base(system, context),
      first_(from.data()),
      at_(from.data()),
      last_(from.data() + from.size()),
      total_(from.size()) {
  }

  [[nodiscard]] std::size_t left() const noexcept {
    return static_cast<std::size_t>(last_ - at_);
  }

  [[nodiscard]] bytes_view rest() const noexcept {
    return {at_, left()};
  }

  /// Takes `size` bytes; nullptr if there are fewer.
  [[nodiscard]] const std::byte* take(std::size_t size) {
    if (size > left()) {
      too_short();
      return nullptr;
    }
    const auto* taken = at_;
    at_ += size;
    return taken;
  }

  /// Reads a handle, and takes hold of its object.
  bool handle(memory::reference& into);

  /// The actors of this run of which handles were read, in that order.
  [[nodiscard]] const std::vector<actor_name>& actors() const noexcept {
    return actors_;
  }
  /// True where reading has failed because an actor of this process ended while
  /// its handle was read. Everything is to be read again then, from the first
  /// byte on, where the reader is now.
  [[nodiscard]] bool start_again();

  bool fetch_next_object_type(caf::type_id_t& type) override;

  bool begin_object(caf::type_id_t type, text_view) override;
  bool end_object() override {
    const auto fine = handle_depth_ == 0 || end_in_handle();
    --depth_;
    return fine;
  }
  bool begin_field(text_view) override {
    return true;
  }
  bool begin_field(text_view, bool& is_present) override {
    return value(is_present);
  }
  bool begin_field(text_view, caf::span<const caf::type_id_t> types,
                   std::size_t& index) override;
  bool begin_field(text_view, bool& is_present,
                   caf::span<const caf::type_id_t> types,
                   std::size_t& index) override;
  bool end_field() override {
    return true;
  }
  bool begin_tuple(std::size_t) override {
    return true;
  }
  bool end_tuple() override {
    return true;
  }
  bool begin_sequence(std::size_t& size) override;
  bool end_sequence() override {
    return true;
  }
  using caf::deserializer::value;
  bool value(byte& x) override {
    return get(x);
  }
  bool value(bool& x) override;
  bool value(std::int8_t& x) override {
    return get(x);
  }
  bool value(std::uint8_t& x) override {
    return get(x);
  }
  bool value(std::int16_t& x) override {
    return get(x);
  }
  bool value(std::uint16_t& x) override {
    return get(x);
  }
  bool value(std::int32_t& x) override {
    return get(x);
  }
  bool value(std::uint32_t& x) override {
    return get(x);
  }
  bool value(std::int64_t& x) override {
    return get(x);
  }
  bool value(std::uint64_t& x) override {
    return get(x);
  }
  bool value(float& x) override {
    return get(x);
  }
  bool value(double& x) override {
    return get(x);
  }
  bool value(long double& x) override {
    return get(x);
  }
  bool value(std::string& x) override;
  bool value(std::u16string& x) override;
  bool value(std::u32string& x) override;
  bool value(caf::span<byte> x) override;
  using caf::deserializer::list;
  bool list(std::vector<bool>& xs) override;

private:
  template <class T>
  bool get(T& x) {
    const auto* from = take(sizeof x);
    if (from == nullptr)
      return false;
    std::memcpy(&x, from, sizeof x);
    return true;
  }

  template <class String>
  bool get_string(String& x);

  void too_short();
  bool end_in_handle();

  const std::byte* first_;
  const std::byte* at_;
  const std::byte* last_;
  std::uint64_t total_;
  std::uint32_t depth_ = 0;
  /// Elements announced so far; a message of `n` bytes has no honest reason to
  /// announce many times more than that.
  std::uint64_t elements_ = 0;
  std::vector<actor_name> actors_;
  /// How deep the handle of an actor is that is being read, and where its bytes
  /// begin; 0: none.
  std::uint32_t handle_depth_ = 0;
  const std::byte* handle_at_ = nullptr;
  std::optional<homecoming> homecoming_;
  bool again_ = false;
};

} // namespace troupe::transport
