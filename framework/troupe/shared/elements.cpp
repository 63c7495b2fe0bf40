// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/elements.hpp>

#include <troupe/base/error.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

namespace troupe::shared {

namespace {

constexpr std::size_t most_bytes = std::numeric_limits<std::size_t>::max()
                                   - 128;

std::string described(std::string_view name, std::uint64_t size) {
  return std::string{name} + " (" + std::to_string(size) + " bytes)";
}

} // namespace

elements elements::create(memory::object_kind kind, const element_type& type,
                          std::size_t count) {
  if (count > most_bytes / type.size)
    throw limit_reached("create " + std::to_string(count)
                          + " shared elements of "
                          + described(type.name, type.size),
                        "that is more bytes than there are addresses",
                        "check how the number is computed");
  const auto at = elements_at(kind, type);
  auto reference = memory::reference::create(kind, at + count * type.size);
  auto* header = reference.as<element_header>();
  header->size = type.size;
  header->count = count;
  const auto length = std::min(type.name.size(), header->name.size() - 1);
  std::copy_n(type.name.data(), length, header->name.data());
  header->fingerprint = type.fingerprint;
  return {std::move(reference), at, count};
}

elements elements::load(codec::decoder& from, memory::object_kind kind,
                        const element_type& type) {
  auto reference = from.handle(kind);
  if (!reference)
    from.refuse(type.name, "the handle is empty");
  const auto at = elements_at(kind, type);
  if (reference.size() < at)
    from.refuse(type.name, "the shared object is too small to have elements");
  // A copy: what is checked is what is used.
  const element_header header = *reference.as<const element_header>();
  if (header.fingerprint != type.fingerprint || header.size != type.size)
    from.refuse(type.name,
                "the shared object holds "
                  + described({header.name.data(),
                               strnlen(header.name.data(), header.name.size())},
                              header.size)
                  + ", not " + described(type.name, type.size));
  if (header.count > (reference.size() - at) / type.size)
    from.refuse(type.name, "the shared object is smaller than it says");
  return {std::move(reference), at, static_cast<std::size_t>(header.count)};
}

} // namespace troupe::shared
