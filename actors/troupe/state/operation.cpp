// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/operation.hpp>

#include <troupe/base/error.hpp>
#include <troupe/process/current_exception.hpp>

#include <unordered_map>

namespace troupe::held {

namespace {

// Constant-initialised, so that entries of every translation unit find it.
constinit operation* first = nullptr;

} // namespace

operation::operation(const char* name, std::uint64_t type, bool changes,
                     function run) noexcept
  : name_(name),
    id_(hash_of(name)),
    type_(type),
    run_(run),
    next_(first),
    changes_(changes) {
  first = this;
}

std::string operation::name() const {
  return hosting::readable_name(name_);
}

const operation& operation::find(std::uint64_t id) {
  // Made at the first call, when all entries have entered themselves; nullptr
  // stands for a name that is not one operation's alone.
  static const auto all = [] {
    std::unordered_map<std::uint64_t, const operation*> result;
    for (const auto* each = first; each != nullptr; each = each->next_)
      if (const auto [place, fresh] = result.try_emplace(each->id_, each);
          !fresh && place->second != nullptr
          && place->second->run_ != each->run_)
        place->second = nullptr;
    return result;
  }();
  const auto found = all.find(id);
  if (found == all.end())
    throw unknown_function("call a function of a held object",
                           "the state's program does not name it",
                           "name it there too, with state::offer");
  if (found->second == nullptr)
    throw unknown_function("call a function of a held object",
                           "the state's program has several of that name",
                           "move types of the same name out of unnamed "
                           "namespaces");
  return *found->second;
}

} // namespace troupe::held
