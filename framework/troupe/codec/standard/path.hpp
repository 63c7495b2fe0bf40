// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/standard/sequence.hpp>

#include <filesystem>
#include <string>

namespace troupe::codec {

template <>
struct standard<std::filesystem::path> {
  using parts = type_list<>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return sizeof(std::uint64_t);
  }

  static void save(encoder& to, const std::filesystem::path& from) {
    to.save(from.native());
  }

  static std::filesystem::path load(decoder& from) {
    return std::filesystem::path{from.load<std::string>()};
  }
};

} // namespace troupe::codec
