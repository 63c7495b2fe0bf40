// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/memory/reference.hpp>

#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/indexes/flat_map_index.hpp>
#include <boost/interprocess/managed_external_buffer.hpp>
#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#include <boost/interprocess/sync/mutex_family.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace troupe {

/// A piece of shared memory of fixed size in which objects are made that
/// allocate: maps, vectors, strings (see containers.hpp). Boost.Interprocess
/// does the allocating.
///
/// A `block` is a handle; copies of it, in whatever process, mean the same
/// memory. What is in a block is found by its name.
///
/// # The lock it needs
/// Nothing here locks. *Every* use of the block and of what is in it, reading
/// too, is made by one process and one thread at a time; put one Troupe mutex
/// beside each block, and hold it. Boost's own locks are not used, because a
/// process that dies while it holds one poisons it for good.
///
/// # What a crash leaves
/// A process killed *inside* such a use may leave the block half changed. The
/// mutex tells the next one that its last owner died; that one makes a new
/// block. A process killed outside of a use leaves the block whole, and the
/// memory is given back when no living process holds it.
class block {
public:
  using segment = boost::interprocess::basic_managed_external_buffer<
    char,
    boost::interprocess::rbtree_best_fit<boost::interprocess::null_mutex_family,
                                         boost::interprocess::offset_ptr<void>>,
    boost::interprocess::flat_map_index>;

  /// The allocator for containers in a block.
  template <class T>
  using allocator = boost::interprocess::allocator<T, segment::segment_manager>;

  /// A block of `size` bytes, some hundred of them for its own book-keeping.
  /// Takes memory page by page, when it is first used.
  /// Throws `limit_reached`, `invalid_state`, `invalid_argument` (too small).
  explicit block(std::size_t size);

  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(reference_.size());
  }

  /// Bytes that are not taken. One object may not find all of them in a piece.
  [[nodiscard]] std::size_t free_bytes() const noexcept {
    return segment_->get_free_memory();
  }

  template <class T>
  [[nodiscard]] allocator<T> get_allocator() const noexcept {
    return allocator<T>{segment_->get_segment_manager()};
  }

  /// Returns the object of that name, made from `args` if there is none. A `T`
  /// that allocates is given the block's allocator as its last argument.
  /// Throws `limit_reached` when the block is full, and what `T` throws.
  template <class T, class... Args>
  T& make(const std::string& name, Args&&... args) const {
    try {
      if constexpr (allocates<T, Args...>)
        return *segment_->find_or_construct<T>(name.c_str())(
          std::forward<Args>(args)..., segment_->get_segment_manager());
      else
        return *segment_->find_or_construct<T>(name.c_str())(
          std::forward<Args>(args)...);
    } catch (const boost::interprocess::bad_alloc&) {
      refuse_full(name);
    }
  }

  /// Returns the object of that name, or nullptr.
  template <class T>
  [[nodiscard]] T* find(const std::string& name) const {
    return segment_->find<T>(name.c_str()).first;
  }

  /// Destroys the object of that name; returns false if there is none.
  template <class T>
  bool erase(const std::string& name) const {
    return segment_->destroy<T>(name.c_str());
  }

  void save(codec::encoder& to) const {
    to.handle(reference_);
  }

  /// Throws `malformed_bytes`, `stale_handle`, `limit_reached`.
  [[nodiscard]] static block load(codec::decoder& from);

private:
  template <class T, class... Args>
  static constexpr bool allocates
    = std::constructible_from<T, Args..., segment::segment_manager*>;

  block(memory::reference reference, std::shared_ptr<segment> opened) noexcept
    : reference_(std::move(reference)), segment_(std::move(opened)) {
  }

  [[noreturn]] void refuse_full(const std::string& name) const;

  memory::reference reference_;
  std::shared_ptr<segment> segment_;
};

} // namespace troupe
