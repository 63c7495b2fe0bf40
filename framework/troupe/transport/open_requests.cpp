// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/open_requests.hpp>

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

open_requests::open_requests() : entries_(first_size) {
}

std::size_t open_requests::place_of(std::uint64_t actor,
                                    std::uint64_t id) const noexcept {
  auto place = home_of(actor, id, entries_.size());
  while (entries_[place].id != 0
         && (entries_[place].id != id || entries_[place].actor != actor))
    place = (place + 1) & (entries_.size() - 1);
  return place;
}

void open_requests::add(const caf::strong_actor_ptr& asker, caf::message_id id,
                        memory::slot_id process) {
  const auto number = number_of(id);
  const std::scoped_lock guard{mutex_};
  if ((used_ + 1) * 4 > entries_.size() * 3)
    grow();
  auto& entry = entries_[place_of(asker->aid, number)];
  if (entry.id == 0) {
    ++used_;
    entry.asker = caf::weak_actor_ptr{asker.get()};
    entry.actor = asker->aid;
    entry.id = number;
    entry.sent_id = id.integer_value();
  }
  entry.process = process;
}

void open_requests::remove(caf::actor_id asker, caf::message_id id) noexcept {
  const std::scoped_lock guard{mutex_};
  const auto place = place_of(asker, number_of(id));
  if (entries_[place].id != 0)
    erase_at(place);
}

bool open_requests::move(caf::actor_id asker, std::uint64_t id,
                         memory::slot_id process) {
  const std::scoped_lock guard{mutex_};
  auto& entry
    = entries_[place_of(asker, id & caf::message_id::request_id_mask)];
  if (entry.id == 0)
    return false;
  entry.process = process;
  return true;
}

std::vector<open_requests::entry>
open_requests::take_all(memory::slot_id process) {
  const std::scoped_lock guard{mutex_};
  std::vector<entry> taken;
  std::vector<entry> kept;
  for (auto& each : entries_) {
    if (each.id == 0)
      continue;
    (each.process == process ? taken : kept).push_back(std::move(each));
    each = {};
  }
  used_ = kept.size();
  for (auto& each : kept)
    entries_[place_of(each.actor, each.id)] = std::move(each);
  return taken;
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
    if (each.id != 0 && each.asker.lock())
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
