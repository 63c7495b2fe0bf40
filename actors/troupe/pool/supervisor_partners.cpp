// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/supervisor_partners.hpp>

#include <caf/default_attachable.hpp>

#include <algorithm>

namespace troupe::supervision {

bool partners::was_linked(caf::abstract_actor& self,
                          const caf::actor_addr& other) {
  const caf::default_attachable::observe_token link{
    other, caf::default_attachable::link};
  return self.detach(link) != 0;
}

void partners::note(const caf::actor_addr& ended) {
  const std::scoped_lock guard{mutex_};
  ended_.push_back(ended);
  if (ended_.size() > most)
    ended_.pop_front();
}

bool partners::is_noted(const caf::actor_addr& one) const {
  const std::scoped_lock guard{mutex_};
  return std::ranges::find(ended_, one) != ended_.end();
}

} // namespace troupe::supervision
