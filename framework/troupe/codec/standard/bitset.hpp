// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>

#include <array>
#include <cstddef>

namespace troupe::codec {

/// `std::bitset`, known by what it has.
template <class T>
concept bit_set = requires(T& bits) {
  bits.set(0, true);
  bits.test(0);
  bits.to_ullong();
} && declared_in_std<T>;

/// A bit for each, in bytes, the first in the lowest place. Bits behind the
/// last must be 0.
template <template <std::size_t> class Bits, std::size_t N>
  requires bit_set<Bits<N>>
struct standard<Bits<N>> {
  using parts = type_list<>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;
  static constexpr std::size_t bytes = (N + 7) / 8;

  static consteval std::size_t least() {
    return bytes;
  }

  static void save(encoder& to, const Bits<N>& from) {
    std::array<unsigned char, bytes> packed{};
    for (std::size_t i = 0; i < N; ++i)
      if (from[i])
        packed[i / 8] = static_cast<unsigned char>(packed[i / 8] | 1U << i % 8);
    to.write(packed.data(), bytes);
  }

  static Bits<N> load(decoder& from) {
    const auto* packed = from.take(bytes, type_name<Bits<N>>());
    const auto bit = [packed](std::size_t i) {
      return (packed[i / 8] >> i % 8 & std::byte{1}) != std::byte{0};
    };
    Bits<N> result;
    for (std::size_t i = 0; i < N; ++i)
      result[i] = bit(i);
    for (std::size_t i = N; i < bytes * 8; ++i)
      if (bit(i))
        from.refuse(type_name<Bits<N>>(), "a bit behind the last is set");
    return result;
  }
};

} // namespace troupe::codec
