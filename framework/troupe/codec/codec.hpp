// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/codec/packet.hpp>
#include <troupe/codec/require_sendable.hpp>
#include <troupe/codec/sendable.hpp>
#include <troupe/codec/standard.hpp>

#include <bit>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <type_traits>

namespace troupe::codec {

/// A constant reference among constants is seen by its address alone: what it
/// refers to is no part of the object. Throws `invalid_argument`.
template <class T>
void refuse_references(const encoder& to, const T& value) {
  const auto begin = reinterpret_cast<std::uintptr_t>(&value);
  members::apply(value, [&](const auto&... each) {
    const auto inside = [&](const auto& member) {
      const auto at = reinterpret_cast<std::uintptr_t>(&member);
      return at >= begin && at < begin + sizeof value;
    };
    if (!(inside(each) && ...))
      to.refuse(type_name<T>(), "it has a reference among its members");
  });
}

template <class T>
void encoder::save(const T& value) {
  if constexpr (!sendable<T>) {
    require_sendable<T>();
  } else if constexpr (flat<T>) {
    write_part(&value, sizeof value);
  } else if constexpr (std::is_array_v<T>) {
    for (const auto& each : value)
      save(each);
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto byte = value ? std::byte{1} : std::byte{0};
    write(&byte, 1);
  } else if constexpr (has_coding<T>) {
    const level deeper{*this, type_name<T>()};
    const copying all{*this};
    coding<T>::save(*this, value);
  } else if constexpr (self_coding<T>) {
    const level deeper{*this, type_name<T>()};
    const copying all{*this};
    value.save(*this);
  } else if constexpr (standard_type<T>) {
    standard<T>::save(*this, value);
  } else if constexpr (inspectable<T>) {
    const level deeper{*this, type_name<T>()};
    const copying all{*this};
    save_inspector f{*this};
    // CAF's protocol has one function for both ways; this way it only reads.
    if (!inspect(f, const_cast<T&>(value)))
      refuse(type_name<T>(), "its inspect function returned false");
  } else if constexpr (std::is_enum_v<T>) {
    save(static_cast<std::underlying_type_t<T>>(value));
  } else {
    if constexpr (!std::is_move_assignable_v<T>)
      refuse_references(*this, value);
    members::apply(value,
                   [this](const auto&... each) { (this->save(each), ...); });
  }
}

/// Reads an aggregate member by member.
template <class T, class... Ms>
T load_members(decoder& from, type_list<Ms...>) {
  if constexpr ((std::is_array_v<Ms> || ...)) {
    T value{};
    members::apply(value,
                   [&from](auto&... each) { (from.load_into(each), ...); });
    return value;
  } else {
    // A bit-field takes less than its type; it cuts off what is too much.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
    return T{from.load<Ms>()...};
#pragma GCC diagnostic pop
  }
}

template <class T>
T decoder::load() {
  if constexpr (!sendable<T>) {
    require_sendable<T>();
  } else if constexpr (flat<T>) {
    const auto* bytes = take(sizeof(T), type_name<T>());
    if constexpr (std::is_trivially_default_constructible_v<T>) {
      T value;
      std::memcpy(static_cast<void*>(&value), bytes, sizeof value);
      return value;
    } else {
      struct raw {
        std::byte bytes[sizeof(T)];
      } copy;
      std::memcpy(copy.bytes, bytes, sizeof copy);
      return std::bit_cast<T>(copy);
    }
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto byte = *take(1, "bool");
    if (byte > std::byte{1})
      refuse("bool", "neither 0 nor 1");
    return byte == std::byte{1};
  } else if constexpr (has_coding<T>) {
    const level deeper{*this, type_name<T>()};
    return coding<T>::load(*this);
  } else if constexpr (self_coding<T>) {
    const level deeper{*this, type_name<T>()};
    return T::load(*this);
  } else if constexpr (standard_type<T>) {
    return standard<T>::load(*this);
  } else if constexpr (inspectable<T>) {
    const level deeper{*this, type_name<T>()};
    T value{};
    load_inspector f{*this};
    if (!inspect(f, value))
      refuse(type_name<T>(), "its inspect function returned false");
    return value;
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<T>(load<std::underlying_type_t<T>>());
  } else {
    return load_members<T>(*this, members::types<T>{});
  }
}

template <class T>
void decoder::load_into(T& value) {
  if constexpr (std::is_array_v<T>) {
    for (auto& each : value)
      load_into(each);
  } else {
    value = load<T>();
  }
}

/// Appends several values to a packet.
/// Throws as `encoder::save`.
template <sendable... Ts>
void encode_into(packet& into, const Ts&... values) {
  [[maybe_unused]] encoder to{into};
  (to.save(values), ...);
}

/// Appends a value, of which large parts are lent: it must stay as it is until
/// the packet has been put. Throws as `encoder::save`.
template <sendable T>
void lend_into(packet& into, const T& value) {
  encoder{into, lends::yes}.save(value);
}

/// Returns the message that carries `value`. Throws as `encoder::save`.
template <sendable T>
[[nodiscard]] packet encode(const T& value) {
  packet result;
  encode_into(result, value);
  return result;
}

/// Returns the message that carries all values, to be read by `decode_all`.
/// Throws as `encoder::save`.
template <sendable... Ts>
[[nodiscard]] packet encode_all(const Ts&... values) {
  packet result;
  encode_into(result, values...);
  return result;
}

/// Reads the message that `encode` made. Throws `malformed_bytes`,
/// `stale_handle`, `limit_reached`.
template <sendable T>
[[nodiscard]] T
decode(bytes_view body, std::span<const memory::object_id> handles = {}) {
  decoder from{body, handles, type_name<T>()};
  auto value = from.template load<T>();
  from.finish();
  return value;
}

/// Reads the message that `encode_all` made, as `decode` does.
template <sendable... Ts>
[[nodiscard]] std::tuple<Ts...>
decode_all(bytes_view body, std::span<const memory::object_id> handles = {}) {
  return decode<std::tuple<Ts...>>(body, handles);
}

/// Reads the message that `encode_all` made from a decoder, and that it ends
/// there. `Tuple` is the `std::tuple` of what was given.
template <sendable Tuple>
[[nodiscard]] Tuple decode_all(decoder& from) {
  auto values = from.load<Tuple>();
  from.finish();
  return values;
}

/// Reads a message that did not leave this process.
template <sendable T>
[[nodiscard]] T decode(packet&& message) {
  const packet taken = std::move(message);
  return decode<T>(taken.body(), taken.handles());
}

} // namespace troupe::codec
