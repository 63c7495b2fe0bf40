// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/object.hpp>

#include <array>

namespace troupe::memory {

namespace {

constexpr std::size_t most_kinds = 64;

struct kind_entry {
  object_kind kind = object_kind::none;
  kind_operations operations;
};

// Constant-initialised, so that registration during static initialisation
// finds it whatever the order.
constinit std::array<kind_entry, most_kinds> kinds{};

} // namespace

bool register_kind(object_kind kind, kind_operations operations) noexcept {
  for (auto& entry : kinds)
    if (entry.kind == object_kind::none || entry.kind == kind) {
      entry = {kind, operations};
      return true;
    }
  return false;
}

kind_operations operations_of(object_kind kind) noexcept {
  for (const auto& entry : kinds)
    if (entry.kind == kind)
      return entry.operations;
  return {};
}

} // namespace troupe::memory
