// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/switchboard.hpp>

#include <troupe/base/error.hpp>
#include <troupe/network/messages.hpp>

#include <utility>

namespace troupe::network {

std::uint64_t switchboard::enter(call made) {
  std::unique_lock guard{mutex};
  const auto has_room = [&] {
    return lost || size == 0 || size + made.size <= window;
  };
  ++waiting;
  room.wait(guard, has_room);
  --waiting;
  if (lost)
    throw connection_lost("call " + name, why);
  size += made.size;
  calls.emplace(++last, std::move(made));
  return last;
}

bool switchboard::answered(std::uint64_t number, bytes content) noexcept {
  std::shared_ptr<answer> to;
  bool awaited_alone = false;
  {
    const std::scoped_lock guard{mutex};
    const auto found = calls.find(number);
    if (found == calls.end())
      return false;
    size -= found->second.size;
    to = std::move(found->second.to);
    awaited_alone = found->second.awaited && calls.size() == 1;
    calls.erase(found);
    if (waiting > 0)
      room.notify_all();
  }
  to->content_ = std::move(content);
  to->become(answer::here);
  return awaited_alone;
}

std::size_t switchboard::on_the_way() {
  const std::scoped_lock guard{mutex};
  return calls.size();
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
    each.to->become(answer::lost);
  }
}

caf::behavior plug(caf::io::broker* self, std::shared_ptr<switchboard> board,
                   wakeful_loop* loop) {
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
    [board, loop](std::uint64_t number, parcel& content) {
      if (board->answered(number, std::move(content.content)))
        loop->give_way();
    },
  };
}

} // namespace troupe::network
