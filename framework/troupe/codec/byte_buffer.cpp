// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/byte_buffer.hpp>

#include <troupe/os/heap.hpp>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>

namespace troupe::codec {

byte_buffer::~byte_buffer() {
  std::free(data_);
}

void byte_buffer::grow(std::size_t more) {
  constexpr auto most = std::numeric_limits<std::size_t>::max() / 4;
  if (more > most || size_ > most)
    throw std::bad_alloc{};
  const auto wanted
    = std::max({std::size_t{64}, capacity_ + capacity_ / 2, size_ + more});
  auto* grown = static_cast<std::byte*>(std::realloc(data_, wanted));
  if (grown == nullptr)
    throw std::bad_alloc{};
  if (wanted >= os::worth_large_pages)
    os::prefer_large_pages(grown, wanted);
  data_ = grown;
  capacity_ = wanted;
}

} // namespace troupe::codec
