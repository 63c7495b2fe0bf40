// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/request_trail.hpp>

#include <algorithm>
#include <utility>

namespace troupe::transport {

request_trail::request_trail(memory::slot_id first) {
  holders_.push_back({first, 1});
}

request_trail::holder& request_trail::holder_of(memory::slot_id process) {
  const auto found = std::ranges::find(holders_, process, &holder::process);
  return found != holders_.end() ? *found
                                 : holders_.emplace_back(holder{process});
}

void request_trail::count(memory::slot_id from, memory::slot_id to,
                          std::int32_t change) {
  const auto found = std::ranges::find_if(passages_, [&](const passage& each) {
    return each.from == from && each.to == to;
  });
  if (found == passages_.end()) {
    passages_.push_back({from, to, change});
    return;
  }
  found->open += change;
  if (found->open == 0)
    passages_.erase(found);
}

void request_trail::sent(memory::slot_id home, memory::slot_id to) {
  // Else it is one more copy: whoever has the first one has it still.
  if (auto& here = holder_of(home); here.copies > 0)
    --here.copies;
  ++holder_of(to).copies;
}

void request_trail::announced(memory::slot_id from, memory::slot_id to) {
  --holder_of(from).copies;
  ++holder_of(to).copies;
  if (!holder_of(to).dead)
    count(from, to, 1);
}

void request_trail::arrived(memory::slot_id from, memory::slot_id to) {
  if (!holder_of(to).dead)
    count(from, to, -1);
}

void request_trail::came_home(memory::slot_id from, memory::slot_id home) {
  --holder_of(from).copies;
  ++holder_of(home).copies;
}

void request_trail::died(memory::slot_id process, const caf::error& reason,
                         std::vector<memory::slot_id>& to_ask) {
  if (std::ranges::find(holders_, process, &holder::process) == holders_.end())
    return;
  holder_of(process).dead = true;
  reason_ = reason;
  for (const auto& each : std::exchange(passages_, {})) {
    if (each.to == process)
      continue;
    if (each.from == process && each.open < 0) {
      // The announcement itself was lost: there was no room for a ring.
      holder_of(process).copies += each.open;
      holder_of(each.to).copies -= each.open;
      continue;
    }
    if (each.from == process)
      to_ask.push_back(each.to);
    passages_.push_back(each);
  }
}

void request_trail::settled(memory::slot_id dead, memory::slot_id at) {
  const auto found = std::ranges::find_if(passages_, [&](const passage& each) {
    return each.from == dead && each.to == at;
  });
  if (found == passages_.end())
    return;
  holder_of(at).copies -= found->open;
  passages_.erase(found);
}

bool request_trail::is_lost() const noexcept {
  return std::ranges::none_of(holders_, [](const holder& each) {
    return each.copies > 0 && !each.dead;
  });
}

bool request_trail::is_only_in(memory::slot_id home) const noexcept {
  return passages_.empty()
         && std::ranges::all_of(holders_, [&](const holder& each) {
              return each.dead || (each.copies == 0) != (each.process == home);
            });
}

} // namespace troupe::transport
