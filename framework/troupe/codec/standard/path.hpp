// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/standard/sequence.hpp>

#include <cstddef>
#include <cstdint>

namespace troupe::codec {

/// `std::filesystem::path`, known by what it has.
template <class T>
concept file_path = requires(const T& path) {
  typename T::string_type;
  path.native();
  path.lexically_normal();
} && declared_in_std<T>;

template <file_path T>
struct standard<T> {
  using parts = type_list<>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return sizeof(std::uint64_t);
  }

  static void save(encoder& to, const T& from) {
    to.save(from.native());
  }

  static T load(decoder& from) {
    return T{from.load<typename T::string_type>()};
  }
};

} // namespace troupe::codec
