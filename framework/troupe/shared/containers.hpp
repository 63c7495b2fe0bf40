// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/shared/block.hpp>

#include <boost/interprocess/containers/map.hpp>
#include <boost/interprocess/containers/string.hpp>
#include <boost/interprocess/containers/vector.hpp>

#include <functional>
#include <string_view>
#include <utility>

/// Containers in shared memory: `block.make<shared_map<int, double>>("name")`.
///
/// They are Boost's containers with a block's allocator, and have the standard
/// ones' interface. What stands in block.hpp about the lock and about crashes
/// holds for each of them. A container that is full of the block throws
/// `boost::interprocess::bad_alloc`, which is a `std::exception`.
namespace troupe {

/// A string in a block. Made from text by `shared_text`.
using shared_string
  = boost::container::basic_string<char, std::char_traits<char>,
                                   block::allocator<char>>;

template <class T>
using shared_vector = boost::container::vector<T, block::allocator<T>>;

template <class Key, class T, class Compare = std::less<Key>>
using shared_map
  = boost::container::map<Key, T, Compare,
                          block::allocator<std::pair<const Key, T>>>;

/// Returns `text` as a string in `place`: what to put into a map or a vector of
/// strings. Throws `boost::interprocess::bad_alloc` when the block is full.
[[nodiscard]] inline shared_string shared_text(const block& place,
                                               std::string_view text) {
  return {text.data(), text.size(), place.get_allocator<char>()};
}

} // namespace troupe
