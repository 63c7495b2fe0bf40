// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/codec.hpp>
#include <troupe/memory/reference.hpp>

#include <caf/deserializer.hpp>
#include <caf/sec.hpp>
#include <caf/serializer.hpp>
#include <caf/type_id.hpp>

#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe {

/// Encoded values in a message of an actor, the handles of queues, buffers,
/// held objects and the like among them, which CAF's own messages cannot carry.
///
///     self->send(worker, troupe::bundle::of(tasks));        // a queue<task>
///     [](const troupe::bundle& from) { auto tasks = from.get<queue<task>>(); }
///
/// A value: copies of it carry the same. It keeps its objects alive. Between
/// processes of the run it goes in messages, queues and arguments; CAF's own
/// network cannot carry handles, and refuses one that has any.
///
/// # What a crash leaves
/// Nothing on the way: the sender's process holds what its message carries,
/// until the reader's does. If it dies before, what only it held is gone, the
/// message cannot be read, and counts as lost with its sender.
class bundle {
public:
  bundle() noexcept = default;

  /// Takes over what was encoded. Throws `limit_reached` if this process can
  /// hold no more objects.
  explicit bundle(codec::packet packed)
    : bundle(packed.body(), codec::objects_of(packed)) {
  }

  bundle(bytes_view bytes, std::vector<memory::reference> objects)
    : bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
      objects_(std::move(objects)) {
  }

  /// Encodes values. Throws as `codec::encoder::save`, and `limit_reached`.
  template <codec::sendable... Ts>
  [[nodiscard]] static bundle of(const Ts&... values) {
    codec::packet packed;
    codec::encode_into(packed, values...);
    return bundle{std::move(packed)};
  }

  /// Reads what is in it: the only value, or all as a `std::tuple`. Throws
  /// `malformed_bytes`; for handles `limit_reached`, and `stale_handle` for one
  /// of another kind.
  template <codec::sendable T>
  [[nodiscard]] T get() const {
    const auto places = shown_handles();
    codec::decoder from{bytes(), places, "a bundle"};
    auto value = from.load<T>();
    from.finish();
    return value;
  }

  /// The encoded values; handles stand there as numbers of `objects()`.
  [[nodiscard]] bytes_view bytes() const noexcept {
    return std::as_bytes(std::span{bytes_});
  }

  [[nodiscard]] std::span<const memory::reference> objects() const noexcept {
    return objects_;
  }

  void save(codec::encoder& to) const;
  [[nodiscard]] static bundle load(codec::decoder& from);

  template <class Inspector>
  friend bool inspect(Inspector& inspector, bundle& what) {
    return inspector.object(what).fields(inspector.field("bytes", what.bytes_))
           && what.inspect_objects(inspector);
  }

private:
  [[nodiscard]] std::vector<memory::object_id> shown_handles() const;

  template <class Inspector>
  bool inspect_objects(Inspector& inspector) {
    if constexpr (std::is_base_of_v<caf::serializer, Inspector>)
      return write_objects(inspector);
    else if constexpr (std::is_base_of_v<caf::deserializer, Inspector>)
      return read_objects(inspector);
    else if (objects_.empty() || inspector.has_human_readable_format())
      return true;
    inspector.emplace_error(caf::sec::unsupported_operation,
                            "handles do not leave the run");
    return false;
  }

  [[nodiscard]] bool write_objects(caf::serializer& to) const;
  [[nodiscard]] bool read_objects(caf::deserializer& from);

  std::string bytes_;
  std::vector<memory::reference> objects_;
};

} // namespace troupe

CAF_BEGIN_TYPE_ID_BLOCK(troupe_bundle, 151)
  CAF_ADD_TYPE_ID(troupe_bundle, (troupe::bundle))
CAF_END_TYPE_ID_BLOCK(troupe_bundle)
