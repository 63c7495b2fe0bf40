// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/network/switchboard.hpp>

#include <troupe/base/error.hpp>
#include <troupe/state/network/messages.hpp>

#include <climits>
#include <utility>

namespace troupe::network {

std::uint64_t switchboard::enter(std::shared_ptr<answer> to,
                                 std::size_t bytes) {
  std::unique_lock guard{mutex};
  const auto has_room = [&] {
    return lost || size == 0 || size + bytes <= window;
  };
  ++waiting;
  room.wait(guard, has_room);
  --waiting;
  if (lost)
    throw connection_lost("call " + name, why);
  calls.emplace(++last, call{std::move(to), bytes});
  size += bytes;
  return last;
}

void switchboard::answered(std::uint64_t number, bytes content) noexcept {
  std::shared_ptr<answer> to;
  {
    const std::scoped_lock guard{mutex};
    const auto found = calls.find(number);
    if (found == calls.end())
      return;
    size -= found->second.size;
    to = std::move(found->second.to);
    calls.erase(found);
    if (waiting > 0)
      room.notify_all();
  }
  to->content_ = std::move(content);
  to->state_ = answer::here;
  os::wake_all(to->state_);
}

void switchboard::lose(const std::string& reason) noexcept {
  std::unordered_map<std::uint64_t, call> failed;
  {
    const std::scoped_lock guard{mutex};
    if (lost)
      return;
    why = reason;
    lost = true;
    failed.swap(calls);
    room.notify_all();
  }
  for (auto& [number, each] : failed) {
    each.to->why_ = name + ": " + why;
    each.to->state_ = answer::lost;
    os::wake_all(each.to->state_);
  }
}

caf::behavior plug(caf::io::broker* self, std::shared_ptr<switchboard> board) {
  self->attach_functor(
    [board](const caf::error&) { board->lose("it was closed here"); });
  return {
    [self, board](caf::link_atom, const caf::actor& session) {
      transport::version::watch(
        self, session,
        [self, board](const caf::actor_addr&, const caf::error& why) {
          board->lose(why == caf::exit_reason::remote_link_unreachable
                        ? "the other end is gone, or the way there"
                        : "the other end has closed it");
          self->quit();
        });
    },
    [board](std::uint64_t number, parcel& content) {
      board->answered(number, std::move(content.content));
    },
  };
}

} // namespace troupe::network
