// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <type_traits>

namespace troupe::shared {

/// Most alignment that shared memory gives.
inline constexpr std::size_t most_alignment = 128;

/// Whether `T` is, by its own name, an address: it would mean something else in
/// every process. What members of a structure are cannot be seen from here.
template <class T>
inline constexpr bool is_address = std::is_pointer_v<T>
                                   || std::is_member_pointer_v<T>
                                   || std::is_same_v<T, std::nullptr_t>;

template <class Char, class Traits>
inline constexpr bool is_address<std::basic_string_view<Char, Traits>> = true;

template <class T, std::size_t Extent>
inline constexpr bool is_address<std::span<T, Extent>> = true;

template <class T>
inline constexpr bool is_address<std::reference_wrapper<T>> = true;

template <class T>
  requires std::is_array_v<T>
inline constexpr bool is_address<T> = is_address<std::remove_all_extents_t<T>>;

/// What `value` and `array` can hold: bytes that mean the same in every
/// process.
template <class T>
concept shareable = std::is_trivially_copyable_v<T> && !is_address<T>
                    && !std::is_const_v<T> && !std::is_volatile_v<T>
                    && alignof(T) <= most_alignment;

/// Stops the compilation with the one sentence that says why `T` does not do.
template <class T>
constexpr void require_shareable() {
  // By a name: clang prints the condition, with all that T is made of.
  constexpr bool copyable = std::is_trivially_copyable_v<T>;
  static_assert(
    copyable, "troupe: value<T> and array<T> need a trivially copyable T; "
              "see <troupe/shared/containers.hpp> for strings and containers");
  static_assert(!is_address<T>,
                "troupe: value<T> and array<T> cannot hold an address, which "
                "means something else in every process; share an index");
  static_assert(!std::is_const_v<T> && !std::is_volatile_v<T>,
                "troupe: value<T> and array<T> need a T without const");
  static_assert(alignof(T) <= most_alignment,
                "troupe: shared memory is aligned to 128 bytes, T needs more");
}

} // namespace troupe::shared
