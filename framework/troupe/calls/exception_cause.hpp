// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// An exception inside of another one, as `std::throw_with_nested` makes it:
/// its type as C++ spells it, and its text.
struct exception_cause {
  std::string type;
  std::string text;

  friend bool operator==(const exception_cause&, const exception_cause&)
    = default;
};

namespace calls {

/// More levels of nesting are not kept; the last that is kept says so.
inline constexpr std::size_t most_causes = 16;

/// "std::out_of_range: there is no seventh"; the type alone without a text.
[[nodiscard]] std::string text_of(std::string_view type, std::string_view text);

/// ", caused by TYPE: TEXT" for each, from the outer to the inner; empty
/// without any.
[[nodiscard]] std::string text_of(const std::vector<exception_cause>& causes);

/// Writes them into one string of at most `most` bytes, none of them zero.
/// Where that is too little each is cut by as much as the others.
[[nodiscard]] std::string pack(const std::vector<exception_cause>& causes,
                               std::size_t most);

/// Reads what `pack` wrote, whatever the bytes are.
[[nodiscard]] std::vector<exception_cause> unpack(std::string_view packed);

/// The longest beginning of `text` of at most `most` bytes that does not end
/// inside of a UTF-8 character.
[[nodiscard]] std::string_view beginning_of(std::string_view text,
                                            std::size_t most) noexcept;

/// The same for the end of `text`.
[[nodiscard]] std::string_view end_of(std::string_view text,
                                      std::size_t most) noexcept;

} // namespace calls

} // namespace troupe
