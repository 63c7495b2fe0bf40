// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/copy.hpp>
#include <troupe/codec/sendable.hpp>
#include <troupe/os/heap.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace troupe::codec {

/// What vector, deque, list and string have in common: a count, 8 bytes, and
/// the elements. An element that may be empty is preceded by a zero byte, so
/// that a count which is too large always runs out of bytes.
template <class Sequence>
struct sequence_coding {
  using element = typename Sequence::value_type;
  using parts = type_list<element>;

  static constexpr bool known = true;
  static constexpr bool flat_if_parts = false;
  static constexpr bool contiguous = requires(const Sequence& from) {
    from.data();
  };

  static consteval std::size_t least() {
    return sizeof(std::uint64_t);
  }

  static void save(encoder& to, const Sequence& from) {
    to.count(from.size());
    if constexpr (flat<element> && contiguous) {
      to.write_part(from.data(), from.size() * sizeof(element));
    } else {
      const encoder::level level{to, type_name<Sequence>()};
      for (auto&& each : from)
        save_element<element>(to, each);
    }
  }

  static Sequence load(decoder& from) {
    Sequence result;
    const auto size = from.count(std::max<std::size_t>(1, least_size<element>),
                                 type_name<Sequence>());
    if constexpr (flat<element> && contiguous) {
      load_bytes(from, result, size);
    } else {
      const decoder::level level{from, type_name<Sequence>()};
      // A forged count costs no more memory than the message itself has.
      if constexpr (requires { result.reserve(size); })
        result.reserve(std::min(size, 64 + from.left() / sizeof(element)));
      for (std::size_t i = 0; i < size; ++i)
        result.push_back(load_element<element>(from));
    }
    return result;
  }

  template <class Element>
  static void save_element(encoder& to, const Element& each) {
    if constexpr (least_size<Element> == 0)
      to.write("", 1);
    to.save<Element>(each);
  }

  template <class Element>
  static Element load_element(decoder& from) {
    if constexpr (least_size<Element> == 0)
      if (*from.take(1, type_name<Element>()) != std::byte{0})
        from.refuse(type_name<Element>(), "no element starts here");
    return from.load<Element>();
  }

private:
  static void load_bytes(decoder& from, Sequence& result, std::size_t size) {
    const auto* bytes = from.take(size * sizeof(element),
                                  type_name<Sequence>());
    if (size * sizeof(element) >= os::worth_large_pages) {
      result.reserve(size);
      if constexpr (on_heap)
        os::prefer_large_pages(result.data(), size * sizeof(element));
    }
    count_copy(size * sizeof(element));
    const auto address = reinterpret_cast<std::uintptr_t>(bytes);
    if (address % alignof(element) == 0) {
      const auto* first = reinterpret_cast<const element*>(bytes);
      result.assign(first, first + size);
    } else if constexpr (std::is_default_constructible_v<element>) {
      // Two passes, and faster than one that goes element by element.
      result.resize(size);
      if (size != 0)
        std::memcpy(static_cast<void*>(result.data()), bytes,
                    size * sizeof(element));
    } else {
      result.reserve(size);
      decoder each{{bytes, size * sizeof(element)}, {}};
      for (std::size_t i = 0; i < size; ++i)
        result.push_back(each.load<element>());
    }
  }

  static constexpr bool on_heap
    = std::is_same_v<typename Sequence::allocator_type,
                     std::allocator<element>>;
};

template <class T, class Allocator>
struct standard<std::vector<T, Allocator>>
  : sequence_coding<std::vector<T, Allocator>> {};

/// `std::deque` and `std::list`, known by what they have.
template <class T>
concept two_ended_sequence = requires(T& values) {
  typename T::value_type;
  values.pop_front();
  values.pop_back();
} && declared_in_std<T>;

template <two_ended_sequence T>
struct standard<T> : sequence_coding<T> {};

template <class Char, class Traits, class Allocator>
struct standard<std::basic_string<Char, Traits, Allocator>>
  : sequence_coding<std::basic_string<Char, Traits, Allocator>> {};

} // namespace troupe::codec
