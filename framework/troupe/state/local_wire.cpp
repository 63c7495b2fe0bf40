// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/local_wire.hpp>

#include <troupe/codec/codec.hpp>
#include <troupe/state/local_target.hpp>
#include <troupe/state/table.hpp>

namespace troupe::held {

void local_wire::save(codec::encoder& to, const target& object) {
  const bool numbered = object.via().get() == by_number_;
  to.save(numbered);
  if (numbered)
    to.save(object.number());
  else
    object.save_as_handle(to);
}

std::shared_ptr<target> local_wire::load(codec::decoder& from) {
  if (!from.load<bool>())
    return load_handle(from);
  const auto number = from.load<object_number>();
  if (auto* own = table::find())
    return own->target_of(number);
  from.refuse("a proxy", "a number means nothing outside of its state");
}

} // namespace troupe::held
