// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/buffer.hpp>

#include <troupe/base/copy.hpp>
#include <troupe/base/error.hpp>
#include <troupe/os/heap.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace troupe {

namespace {

/// Buffers of these sizes take their memory when they are made: all at once, in
/// large pages, costs a tenth of a fault for each small one.
constexpr std::size_t least_populated = os::worth_large_pages;
constexpr std::size_t most_populated = 1 << 30;

} // namespace

buffer::buffer(std::size_t size) : size_(size) {
  if (size == 0)
    return;
  reference_ = memory::reference::create(memory::object_kind::buffer, size,
                                         memory::contents::unspecified);
  if (size >= least_populated && size <= most_populated)
    reference_.populate();
}

buffer::buffer(bytes_view source) : buffer(source.size()) {
  copy_bytes(data(), source.data(), source.size());
}

void buffer::shrink(std::size_t size) {
  if (size > size_)
    throw invalid_argument("shrink a buffer to " + std::to_string(size)
                             + " bytes",
                           "it has " + std::to_string(size_));
  size_ = size;
}

void buffer::save(codec::encoder& to) const {
  const auto size = std::uint64_t{size_};
  to.write(&size, sizeof size);
  to.handle(reference_);
}

buffer buffer::load(codec::decoder& from) {
  std::uint64_t size = 0;
  std::memcpy(&size, from.take(sizeof size, "a buffer"), sizeof size);
  buffer result;
  result.reference_ = from.handle(memory::object_kind::buffer);
  if (size > (result.reference_ ? result.reference_.size() : 0))
    from.refuse("a buffer", "the shared object has fewer bytes than "
                              + std::to_string(size));
  result.size_ = static_cast<std::size_t>(size);
  return result;
}

void copied_buffer::save(codec::encoder& to) const {
  to.count(of_.size());
  if (!of_.empty())
    to.write_part(of_.data(), of_.size());
}

copied_buffer copied_buffer::load(codec::decoder& from) {
  constexpr std::string_view type{"a copied buffer"};
  const auto size = from.count(1, type);
  return copied_buffer{buffer{bytes_view{from.take(size, type), size}}};
}

} // namespace troupe
