// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/itself.hpp>

#include <troupe/base/error.hpp>
#include <troupe/state/table.hpp>
#include <troupe/state/wire.hpp>

namespace troupe::held {

void untyped::save(codec::encoder& to) const {
  save_target(to, *object_);
}

untyped untyped::load(codec::decoder& from) {
  return untyped{load_target(from)};
}

void itself::bind(const call_context& by, const std::string& name,
                  const untyped& object) {
  if (object.object()->via() != by.objects.inside())
    throw invalid_argument("name an object \"" + name + "\" in a state",
                           "another state holds it",
                           "name it in the state that it was made in");
  names_.insert_or_assign(name, object);
}

const untyped& itself::find(const call_context& by, const std::string& name,
                            std::uint64_t type) const {
  const auto found = names_.find(name);
  if (found == names_.end())
    throw unknown_name("find \"" + name + "\" in a state",
                       "no object has that name");
  if (by.objects.type_of(found->second.object()->number()) != type)
    throw invalid_argument("find \"" + name + "\" in a state",
                           "it is an object of another type",
                           "use the proxy's type that it was named with");
  return found->second;
}

bool itself::unbind(const std::string& name) {
  return names_.erase(name) != 0;
}

std::uint64_t itself::size(const call_context& by) const {
  return by.objects.size();
}

} // namespace troupe::held
