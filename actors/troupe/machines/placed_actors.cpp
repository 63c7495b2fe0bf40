// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/placed_actors.hpp>

#include <troupe/base/error.hpp>

#include <cstddef>
#include <string>

namespace troupe::machines {

placed_actors put_together(const std::vector<std::uint64_t>& places,
                           const std::vector<caf::strong_actor_ptr>& actors) {
  if (places.size() != actors.size())
    throw malformed_bytes("read what is asked of machines",
                          "it has as many handles as places for them: "
                            + std::to_string(actors.size()) + " and "
                            + std::to_string(places.size()));
  placed_actors made;
  for (std::size_t i = 0; i < actors.size(); ++i)
    made.push_back({static_cast<std::size_t>(places[i]), actors[i]});
  return made;
}

std::vector<std::uint64_t> places_of(const placed_actors& actors) {
  std::vector<std::uint64_t> made;
  for (const auto& each : actors)
    made.push_back(each.at);
  return made;
}

std::vector<caf::strong_actor_ptr> actors_of(const placed_actors& actors) {
  std::vector<caf::strong_actor_ptr> made;
  for (const auto& each : actors)
    made.push_back(each.actor);
  return made;
}

} // namespace troupe::machines
