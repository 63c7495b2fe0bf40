// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/object.hpp>

#include <array>
#include <cstddef>
#include <string>

namespace troupe::memory {

namespace {

constexpr std::size_t most_kinds = 64;

struct kind_entry {
  object_kind kind = object_kind::none;
  kind_operations operations;
};

// Constant-initialised, so that registration during static initialisation
// finds it whatever the order.
constinit std::array<kind_operations, 32> kinds_by_number{};
constinit std::array<kind_entry, most_kinds> other_kinds{};

static_assert(static_cast<std::size_t>(object_kind::pool)
              < kinds_by_number.size());

} // namespace

std::string name_of(object_kind kind) {
  constexpr std::array<const char*, 24> names{
    "none",  "parcel",    "value",      "array",       "buffer",  "block",
    "queue", "segment",   "connection", "ring",        "inbox",   "message",
    "mutex", "semaphore", "condition",  "event",       "barrier", "registry",
    "state", "ledger",    "share",      "share_table", "line",    "pool"};
  // "line" is of the sync objects.
  static_assert(names.size()
                == static_cast<std::size_t>(object_kind::pool) + 1);
  const auto number = static_cast<std::size_t>(kind);
  return number < names.size() ? names[number] : std::to_string(number);
}

bool register_kind(object_kind kind, kind_operations operations) noexcept {
  const auto number = static_cast<std::size_t>(kind);
  if (number < kinds_by_number.size()) {
    kinds_by_number[number] = operations;
    return true;
  }
  for (auto& entry : other_kinds)
    if (entry.kind == object_kind::none || entry.kind == kind) {
      entry = {kind, operations};
      return true;
    }
  return false;
}

kind_operations operations_of(object_kind kind) noexcept {
  const auto number = static_cast<std::size_t>(kind);
  if (number < kinds_by_number.size())
    return kinds_by_number[number];
  for (const auto& entry : other_kinds) {
    if (entry.kind == kind)
      return entry.operations;
    if (entry.kind == object_kind::none)
      break;
  }
  return {};
}

} // namespace troupe::memory
