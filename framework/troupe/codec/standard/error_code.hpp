// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace troupe::codec {

/// Makes the error codes of a category sendable. Define one for each category
/// of your own, at namespace scope, so that every process of the program has
/// it:
///
///     const troupe::codec::sendable_category entry{my_category()};
///
/// The categories of the standard library need none. The category must live as
/// long as the program.
class sendable_category {
public:
  explicit sendable_category(const std::error_category& category) noexcept;
  sendable_category(const sendable_category&) = delete;
  sendable_category& operator=(const sendable_category&) = delete;

  /// Returns the category of that name; nullptr if there is none, or several.
  [[nodiscard]] static const std::error_category*
  find(std::string_view name) noexcept;

private:
  const std::error_category* category_;
  sendable_category* next_;
};

/// Writes the name of a category. Throws `invalid_argument` for one that its
/// reader could not find.
void save_category(encoder& to, const std::error_category& category,
                   std::string_view type);

/// Reads it. Throws `malformed_bytes` for a name that nothing has.
[[nodiscard]] const std::error_category& load_category(decoder& from,
                                                       std::string_view type);

/// An `std::error_code` or `std::error_condition`: the category's name and the
/// number. One whose category no `sendable_category` names throws
/// `invalid_argument` where it is sent.
template <class T>
  requires std::same_as<T, std::error_code>
           || std::same_as<T, std::error_condition>
struct standard<T> {
  using parts = type_list<>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;

  static consteval std::size_t least() {
    return sizeof(std::uint64_t) + sizeof(std::int32_t);
  }

  static void save(encoder& to, const T& from) {
    save_category(to, from.category(), type_name<T>());
    to.save(std::int32_t{from.value()});
  }

  static T load(decoder& from) {
    const auto& category = load_category(from, type_name<T>());
    return T{from.load<std::int32_t>(), category};
  }
};

} // namespace troupe::codec
