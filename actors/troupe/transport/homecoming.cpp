// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/homecoming.hpp>

#include <troupe/transport/node.hpp>

namespace troupe::transport {

namespace {

/// One stand-in at a time is in the registry: who takes one out must not take
/// out another's. Never destroyed: actors may be read during exit.
std::mutex& stand_ins() {
  static auto& only = *new std::mutex;
  return only;
}

} // namespace

homecoming::homecoming(node& of, caf::actor_id actor)
  : node_(of), actor_(actor) {
  auto& known = node_.system().registry();
  // It may not stand there, or not for long: nobody elsewhere need hold it.
  lent_ = node_.exported()->lend(actor);
  if (known.get<caf::strong_actor_ptr>(actor))
    return;
  lock_ = std::unique_lock{stand_ins()};
  stand_in_ = node_.make_stand_in(actor);
  known.put(actor, stand_in_);
}

homecoming::~homecoming() {
  if (lent_)
    node_.exported()->unlend(actor_);
  if (!stand_in_)
    return;
  node_.system().registry().erase(actor_);
  // Not before: CAF's registry gives up who ends.
  node_.end_stand_in(stand_in_);
}

bool homecoming::found() {
  // Nobody enters an actor twice: what is there now was there all the time.
  const auto now = node_.system().registry().get<caf::strong_actor_ptr>(actor_);
  return now != nullptr && (!stand_in_ || now == stand_in_);
}

} // namespace troupe::transport
