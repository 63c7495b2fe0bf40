// SPDX-License-Identifier: BSL-1.0
#include <troupe/call/entry.hpp>

#include <troupe/base/error.hpp>

#include <memory>

namespace troupe::calls {

namespace {

// Constant-initialised, so that entries of every translation unit find it.
constinit entry* first = nullptr;

} // namespace

entry::entry(invoker invoke) noexcept : invoke_(invoke), next_(first) {
  first = this;
}

const entry* entry::find(os::code_location location) {
  for (const auto* candidate = first; candidate != nullptr;
       candidate = candidate->next_)
    if (candidate->location() == location)
      return candidate;
  return nullptr;
}

const entry& entry::require(os::code_location location,
                            std::string_view attempted,
                            std::string_view library) {
  if (const auto* found = find(location))
    return *found;
  const auto [presence, name] = os::find_module(location);
  std::string reason;
  std::string advice;
  switch (presence) {
    case os::module_presence::absent:
      reason = library.empty()
                 ? std::string{"the library that holds it is not loaded here"}
                 : std::string{library} + " is not loaded here";
      advice = "link the program with that library, or load it before "
               "troupe::program is made";
      break;
    case os::module_presence::other_build:
      reason = name.empty() ? std::string{"the program"} : name;
      reason += " in this process is another build than in the one that asks: "
                "it was replaced on disk while the program runs";
      advice = "start the program anew after an upgrade";
      break;
    case os::module_presence::same_build:
      reason = name.empty() ? std::string{"the program"} : name;
      reason += " has no function for other processes at offset "
                + std::to_string(location.offset);
      advice = "name it in a call that the compiler sees, as in "
               "start<function>(), in that same library or program";
      break;
  }
  throw unknown_function(attempted, reason, advice);
}

const entry::place& entry::locate() const {
  const auto* const address = reinterpret_cast<const void*>(invoke_);
  auto found = std::make_unique<place>(place{os::locate(address), {}});
  if (found->location.is_in_library())
    found->library = os::library_of(address);
  const place* before = nullptr;
  // release: pairs with the acquire in where. Another thread may come first.
  if (place_.compare_exchange_strong(before, found.get(),
                                     std::memory_order_acq_rel))
    return *found.release();
  return *before;
}

void entry::locate_all() {
  for (const auto* each = first; each != nullptr; each = each->next_)
    static_cast<void>(each->location());
}

} // namespace troupe::calls
