// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/entry.hpp>

namespace troupe::hosting {

namespace {

// Constant-initialised, so that entries of every translation unit find it.
constinit entry* first = nullptr;

} // namespace

entry::entry(invoker invoke) noexcept : invoke_(invoke), next_(first) {
  first = this;
}

const entry* entry::find(os::code_location location) noexcept {
  for (const auto* candidate = first; candidate != nullptr;
       candidate = candidate->next_)
    if (candidate->location() == location)
      return candidate;
  return nullptr;
}

void entry::locate_all() noexcept {
  for (auto* each = first; each != nullptr; each = each->next_) {
    each->location_ = os::locate(each->address());
    each->located_ = true;
  }
}

} // namespace troupe::hosting
