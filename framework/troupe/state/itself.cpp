// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/itself.hpp>

#include <troupe/base/error.hpp>
#include <troupe/state/local_target.hpp>
#include <troupe/state/table.hpp>
#include <troupe/state/wire.hpp>

namespace troupe::held {

void untyped::save(codec::encoder& to) const {
  if (auto* coding = wire::current())
    coding->save(to, *object_);
  else
    object_->save_as_handle(to);
}

untyped untyped::load(codec::decoder& from) {
  auto* coding = wire::current();
  return untyped{coding != nullptr ? coding->load(from) : load_handle(from)};
}

void itself::bind(const std::string& name, const untyped& object) {
  if (object.object()->via() != table::here().inside())
    throw invalid_argument("name an object \"" + name + "\" in a state",
                           "another state holds it",
                           "name it in the state that it was made in");
  names_.insert_or_assign(name, object);
}

const untyped& itself::find(const std::string& name, std::uint64_t type) const {
  const auto found = names_.find(name);
  if (found == names_.end())
    throw unknown_name("find \"" + name + "\" in a state",
                       "no object has that name");
  if (table::here().type_of(found->second.object()->number()) != type)
    throw invalid_argument("find \"" + name + "\" in a state",
                           "it is an object of another type",
                           "use the proxy's type that it was named with");
  return found->second;
}

bool itself::unbind(const std::string& name) {
  return names_.erase(name) != 0;
}

std::uint64_t itself::size() const {
  return table::here().size();
}

} // namespace troupe::held
