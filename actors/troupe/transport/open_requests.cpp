// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/open_requests.hpp>

#include <caf/sec.hpp>

#include <algorithm>
#include <utility>

namespace troupe::transport {

namespace {

constexpr std::size_t first_size = 64;

/// Priority and the answered mark may differ between request and response.
std::uint64_t number_of(caf::message_id id) noexcept {
  return id.integer_value() & caf::message_id::request_id_mask;
}

std::size_t home_of(std::uint64_t actor, std::uint64_t id,
                    std::size_t size) noexcept {
  const auto mixed = (actor * 0x9E3779B97F4A7C15ULL)
                     ^ (id * 0xC2B2AE3D27D4EB4FULL);
  return static_cast<std::size_t>(mixed >> 20) & (size - 1);
}

} // namespace

open_requests::open_requests(memory::slot_id home)
  : home_(home), entries_(first_size) {
}

request_trail& open_requests::entry::passed_on() {
  if (!trail)
    trail = std::make_unique<request_trail>(to.process);
  return *trail;
}

std::size_t open_requests::place_of(std::uint64_t actor,
                                    std::uint64_t id) const noexcept {
  auto place = home_of(actor, id, entries_.size());
  while (entries_[place].id != 0
         && (entries_[place].id != id || entries_[place].actor != actor))
    place = (place + 1) & (entries_.size() - 1);
  return place;
}

open_requests::entry* open_requests::find(std::uint64_t actor,
                                          std::uint64_t id) noexcept {
  auto& found = entries_[place_of(actor, id)];
  return found.id == 0 ? nullptr : &found;
}

void open_requests::add(const caf::strong_actor_ptr& asker, caf::message_id id,
                        actor_name to) {
  const auto number = number_of(id);
  const std::scoped_lock guard{mutex_};
  if ((used_ + 1) * 4 > entries_.size() * 3)
    grow();
  auto& entry = entries_[place_of(asker->aid, number)];
  if (entry.id != 0) {
    entry.passed_on().sent(home_, to.process);
    return;
  }
  ++used_;
  entry.asker = caf::weak_actor_ptr{asker.get()};
  entry.actor = asker->aid;
  entry.id = number;
  entry.sent_id = id.integer_value();
  entry.to = to;
}

void open_requests::remove(caf::actor_id asker, caf::message_id id) noexcept {
  const std::scoped_lock guard{mutex_};
  const auto place = place_of(asker, number_of(id));
  if (entries_[place].id != 0)
    erase_at(place);
}

std::vector<open_requests::lost> open_requests::take_if_lost(entry& which) {
  std::vector<lost> result;
  const bool is_lost = which.trail->is_lost();
  if (is_lost)
    result.push_back({which.asker, which.sent_id, which.trail->reason()});
  if (is_lost || which.trail->is_only_in(home_))
    erase_at(static_cast<std::size_t>(&which - entries_.data()));
  return result;
}

std::optional<std::vector<open_requests::lost>>
open_requests::announced(caf::actor_id asker, std::uint64_t id,
                         memory::slot_id from, memory::slot_id to) {
  const std::scoped_lock guard{mutex_};
  auto* const found = find(asker, id & caf::message_id::request_id_mask);
  if (found == nullptr)
    return std::nullopt;
  found->passed_on().announced(from, to);
  return take_if_lost(*found);
}

std::optional<std::vector<open_requests::lost>>
open_requests::arrived(caf::actor_id asker, std::uint64_t id,
                       memory::slot_id from, memory::slot_id to) {
  const std::scoped_lock guard{mutex_};
  auto* const found = find(asker, id & caf::message_id::request_id_mask);
  if (found == nullptr)
    return std::nullopt;
  found->passed_on().arrived(from, to);
  return take_if_lost(*found);
}

void open_requests::came_home(caf::actor_id asker, caf::message_id id,
                              memory::slot_id from) {
  const std::scoped_lock guard{mutex_};
  auto* const found = find(asker, number_of(id));
  if (found == nullptr)
    return;
  // Where it came back from the process that it was sent to, and that has never
  // passed it on, nobody else can have it.
  bool only_here = !found->trail && found->to.process == from;
  if (!only_here) {
    found->passed_on().came_home(from, home_);
    only_here = found->trail->is_only_in(home_);
  }
  if (only_here)
    erase_at(static_cast<std::size_t>(found - entries_.data()));
}

template <class Step>
void open_requests::erase_if(Step step) {
  std::vector<entry> kept;
  for (auto& each : entries_) {
    if (each.id == 0)
      continue;
    if (!step(each))
      kept.push_back(std::move(each));
    each = {};
  }
  used_ = kept.size();
  for (auto& each : kept)
    entries_[place_of(each.actor, each.id)] = std::move(each);
}

open_requests::outcome
open_requests::take_all(memory::slot_id process, const caf::error& reason,
                        const std::map<caf::actor_id, caf::error>& ended) {
  const std::scoped_lock guard{mutex_};
  outcome result;
  erase_if([&](entry& each) {
    if (each.trail)
      each.trail->died(process, reason, result.to_ask);
    if (each.trail ? !each.trail->is_lost() : each.to.process != process)
      return false;
    const auto had_ended = !each.trail && ended.contains(each.to.actor);
    result.requests.push_back(
      {each.asker, each.sent_id,
       had_ended ? caf::sec::request_receiver_down : reason});
    return true;
  });
  auto& ask = result.to_ask;
  std::ranges::sort(ask, {}, &memory::slot_id::packed);
  ask.erase(std::unique(ask.begin(), ask.end()), ask.end());
  return result;
}

std::vector<open_requests::lost> open_requests::settled(memory::slot_id dead,
                                                        memory::slot_id at) {
  const std::scoped_lock guard{mutex_};
  std::vector<lost> result;
  erase_if([&](entry& each) {
    if (!each.trail)
      return false;
    each.trail->settled(dead, at);
    if (!each.trail->is_lost())
      return false;
    result.push_back({each.asker, each.sent_id, each.trail->reason()});
    return true;
  });
  return result;
}

std::size_t open_requests::size() const {
  const std::scoped_lock guard{mutex_};
  return used_;
}

void open_requests::erase_at(std::size_t place) noexcept {
  const auto mask = entries_.size() - 1;
  entries_[place] = {};
  --used_;
  // Pull back what was pushed on by the one that went.
  for (auto next = (place + 1) & mask; entries_[next].id != 0;
       next = (next + 1) & mask) {
    const auto home = home_of(entries_[next].actor, entries_[next].id,
                              entries_.size());
    if (((next - home) & mask) < ((next - place) & mask))
      continue;
    entries_[place] = std::move(entries_[next]);
    entries_[next] = {};
    place = next;
  }
}

void open_requests::grow() {
  std::vector<entry> alive;
  for (auto& each : entries_)
    if (each.id != 0 && each.asker.lock()
        && !(each.trail && each.trail->is_only_in(home_)))
      alive.push_back(std::move(each));
  auto size = entries_.size();
  while ((alive.size() + 1) * 2 > size)
    size *= 2;
  entries_ = std::vector<entry>(size);
  used_ = alive.size();
  for (auto& each : alive)
    entries_[place_of(each.actor, each.id)] = std::move(each);
}

} // namespace troupe::transport
