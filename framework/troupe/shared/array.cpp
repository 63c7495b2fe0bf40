// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/array.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/heap.hpp>
#include <troupe/os/memory_file.hpp>

#include <string>

namespace troupe::shared {

void refuse_index(std::size_t index, std::size_t size) {
  throw invalid_argument(
    "access element " + std::to_string(index) + " of a shared array",
    "it has " + std::to_string(size) + " elements", "indices start at 0");
}

void refuse_slice(std::size_t first, std::size_t last, std::size_t size) {
  throw invalid_argument("take elements " + std::to_string(first) + " up to "
                           + std::to_string(last) + " of a shared array",
                         first > last
                           ? std::string{"the first is behind the "
                                         "last"}
                           : "it has " + std::to_string(size) + " elements");
}

void populate(std::span<std::byte> memory) noexcept {
  if (!memory.empty())
    os::populate(memory.data(), memory.size());
}

void populate_to_write(std::span<std::byte> memory) noexcept {
  if (memory.size() >= os::worth_large_pages)
    os::populate_untouched(memory.data(), memory.size());
}

} // namespace troupe::shared
