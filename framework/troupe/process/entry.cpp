// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/entry.hpp>

namespace troupe::hosting {

namespace {

// Constant-initialised, so that entries of every translation unit find it.
constinit const entry* first = nullptr;

} // namespace

entry::entry(invoker invoke) noexcept : invoke_(invoke), next_(first) {
  first = this;
}

os::code_location entry::location() const noexcept {
  return os::locate(reinterpret_cast<const void*>(invoke_));
}

const entry* entry::find(os::code_location location) noexcept {
  for (const auto* candidate = first; candidate != nullptr;
       candidate = candidate->next_)
    if (candidate->location() == location)
      return candidate;
  return nullptr;
}

} // namespace troupe::hosting
