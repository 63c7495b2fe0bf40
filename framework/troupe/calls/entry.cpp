// SPDX-License-Identifier: BSL-1.0
#include <troupe/calls/entry.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/hash.hpp>

#include <algorithm>
#include <memory>
#include <tuple>
#include <unordered_map>

namespace troupe::calls {

namespace {

// Constant-initialised, so that entries of every translation unit find them.
constinit entry* first_with_place = nullptr;
constinit entry* first_with_name = nullptr;

[[noreturn]] void throw_unknown(os::code_location location,
                                std::string_view attempted,
                                std::string_view library) {
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

} // namespace

entry::entry(const std::type_info& kind, any_code code, const char* name,
             std::string_view shown) noexcept
  : kind_(&kind),
    code_(code),
    name_(name),
    shown_(shown),
    id_(name != nullptr ? hash_of(name) : 0) {
  auto& first = name != nullptr ? first_with_name : first_with_place;
  next_ = first;
  first = this;
}

std::string entry::shown_name() const {
  // "troupe::calls::named<(& square)>", "…<square>" or "…<&square>".
  auto text = shown_;
  const auto begin = text.find('<');
  const auto end = text.rfind('>');
  if (text.starts_with("troupe::") && begin != text.npos && end != text.npos
      && begin < end)
    text = text.substr(begin + 1, end - begin - 1);
  // "(anonymous namespace)::" of clang begins with a parenthesis, too.
  while (!text.empty() && !text.starts_with("(anonymous")
         && (text.front() == '(' || text.front() == '&' || text.front() == ' '))
    text.remove_prefix(1);
  for (const std::string_view hidden :
       {"{anonymous}::", "(anonymous namespace)::"})
    if (text.starts_with(hidden))
      text.remove_prefix(hidden.size());
  if (text.size() < shown_.size() && text.ends_with(')')
      && std::ranges::count(text, '(') < std::ranges::count(text, ')'))
    text.remove_suffix(1);
  return std::string{text};
}

const entry& entry::at(const std::type_info& kind, os::code_location location,
                       std::string_view attempted, std::string_view library) {
  for (const auto* each = first_with_place; each != nullptr; each = each->next_)
    if (*each->kind_ == kind && each->location() == location)
      return *each;
  throw_unknown(location, attempted, library);
}

entry::found_by_name entry::named(const std::type_info& kind,
                                  std::uint64_t id) {
  // Made at the first call, when all entries have entered themselves; nullptr
  // stands for a name that is not one function's alone.
  static const auto all = [] {
    std::unordered_map<std::uint64_t, const entry*> result;
    for (const auto* each = first_with_name; each != nullptr;
         each = each->next_)
      if (const auto [place, fresh] = result.try_emplace(each->id_, each);
          !fresh && place->second != nullptr
          && place->second->code_ != each->code_)
        place->second = nullptr;
    return result;
  }();
  const auto found = all.find(id);
  if (found == all.end())
    return {};
  if (found->second == nullptr)
    return {nullptr, true};
  return {*found->second->kind_ == kind ? found->second : nullptr, false};
}

const entry::place& entry::locate() const {
  const auto* const address = reinterpret_cast<const void*>(code_);
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

std::vector<entry::library_build> entry::libraries() {
  std::vector<library_build> all;
  for (const auto* first : {first_with_place, first_with_name})
    for (const auto* each = first; each != nullptr; each = each->next_)
      if (const auto& found = each->where(); found.location.is_in_library())
        all.push_back({found.library, found.location.module});
  const auto key = [](const library_build& each) {
    return std::tie(each.name, each.module);
  };
  std::ranges::sort(all, {}, key);
  const auto twice = std::ranges::unique(all);
  all.erase(twice.begin(), twice.end());
  return all;
}

void entry::locate_all() {
  for (const auto* each = first_with_place; each != nullptr; each = each->next_)
    static_cast<void>(each->location());
}

} // namespace troupe::calls
