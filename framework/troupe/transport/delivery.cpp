// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/delivery.hpp>

#include <troupe/os/crash_point.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/dead_letters.hpp>
#include <troupe/transport/flow.hpp>
#include <troupe/transport/message_bytes.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/sec.hpp>

namespace troupe::transport {

bool delivery::operator()(frame_tag tag, bytes_view body) const {
  switch (tag.kind) {
    case frame_kind::message: return message(tag, body);
    case frame_kind::watch: return watch(body);
    case frame_kind::down: return down(body);
    case frame_kind::link: return link(body, true);
    case frame_kind::unlink: return link(body, false);
    case frame_kind::redirected: return redirected(body);
    case frame_kind::taken: return taken(body);
    default: return false;
  }
}

caf::strong_actor_ptr delivery::sender_of(const message_head& head) const {
  if (head.sender == 0)
    return nullptr;
  const auto home = memory::slot_id::unpacked(head.sender_slot);
  if (home == flow_.writer())
    return flow_.actor(head.sender);
  return node_.actor_in(home, head.sender);
}

bool delivery::message(frame_tag tag, bytes_view body) const {
  const auto head = take_head<message_head>(body);
  if (!head || (tag.flags & ~(with_stages | as_image | with_handles)) != 0
      || ((tag.flags & as_image) != 0 && tag.flags != as_image))
    return false;
  std::uint64_t loan = 0;
  if ((tag.flags & with_handles) != 0) {
    if (body.size() < sizeof loan)
      return false;
    std::memcpy(&loan, body.last(sizeof loan).data(), sizeof loan);
    body = body.first(body.size() - sizeof loan);
  }
  const caf::message_id id{head->id};
  if (version::is_stream(id))
    return false;
  const auto& target = flow_.target(head->target);
  auto sender = sender_of(*head);
  if (id.is_response())
    node_.requests().remove(head->target, id);
  else if (id.is_request() && sender && node_.is_local(sender))
    // Our own request came back to us: delegated to an actor of this process.
    node_.requests().remove(sender->aid, id);
  caf::message content;
  version::stages stages;
  caf::type_id_t type = 0;
  auto result = read_result::malformed;
  caf::error refusal;
  if ((tag.flags & as_image) != 0) {
    result = read_image(body, content, type);
  } else {
    byte_reader source{&node_.system(), &context_, body};
    if ((tag.flags & with_stages) == 0 || source.apply(stages))
      result = read_message(source, content, type);
    if (result == read_result::done && source.left() != 0)
      result = read_result::malformed;
    if (result == read_result::done)
      make_showable(content);
    else
      refusal = source.get_error();
  }
  // Whether or not somebody reads it: what it carries is this process's now.
  if ((tag.flags & with_handles) != 0) {
    TROUPE_CRASH_POINT("transport.handles.attached");
    flow_.back()->send_control(frame_kind::taken, {loan, 0, 0});
    TROUPE_CRASH_POINT("transport.handles.taken");
  }
  if (result != read_result::done) {
    if (result == read_result::unknown_type)
      refusal = make_error(errc::unknown_message_type,
                           "read a message from another process: type "
                             + name_of(type)
                             + " is not known here, or not the same; name its "
                               "type-id block in troupe::use_messages before "
                               "troupe::program");
    // A handle in it may say more.
    else if (code_of(refusal) == errc::none)
      refusal = make_error(errc::malformed_bytes,
                           "read a message from another process: its bytes are "
                           "no such message");
    unread(*head, sender, refusal);
    return true;
  }
  if (!target) {
    if (id.is_request() && sender)
      node_.fail_request(sender, id, caf::sec::request_receiver_down);
    report_dead_letter(
      {head->target, sender, content, "no such actor lives in its process"});
    return true;
  }
  auto* runner = node_.receiver().runner_for(head->target);
  if (!target->enqueue(version::make_element(std::move(sender), id,
                                             std::move(stages),
                                             std::move(content)),
                       runner)) {
    flow_.forget_target();
    report_dead_letter({head->target, nullptr, {}, "its actor has ended"});
  }
  return true;
}

void delivery::unread(const message_head& head,
                      const caf::strong_actor_ptr& sender,
                      const caf::error& why) const {
  const caf::message_id id{head.id};
  if (id.is_request() && sender) {
    node_.fail_request(sender, id, why);
  } else if (id.is_response()) {
    // The asker is ours, and waits for just this.
    if (auto asker
        = node_.system().registry().get<caf::strong_actor_ptr>(head.target))
      asker->enqueue(version::make_element(nullptr, id, {},
                                           caf::make_message(why)),
                     &context_);
  }
  report_dead_letter({head.target, sender, {}, text_of(why)});
}

bool delivery::watch(bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  const auto actor
    = node_.system().registry().get<caf::strong_actor_ptr>(what->first);
  if (!actor) {
    flow_.back()->send_down(what->first,
                            make_error(errc::stale_handle,
                                       "the actor has ended before"));
    return true;
  }
  actor->get()->attach_functor(
    [to = flow_.back(), ended = what->first](const caf::error& reason) {
      to->send_down(ended, reason);
    });
  return true;
}

bool delivery::down(bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what)
    return false;
  byte_reader source{&node_.system(), &context_, body};
  caf::error reason;
  if (!source.apply(reason) || source.left() != 0)
    return false;
  if (!is_showable(reason))
    reason = make_error(errc::malformed_bytes,
                        "the actor ended for a reason that cannot be shown");
  flow_.forget_actor(what->first);
  node_.proxies().erase(flow_.back()->name(), what->first, std::move(reason));
  return true;
}

bool delivery::link(bytes_view body, bool together) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  const auto local
    = node_.system().registry().get<caf::strong_actor_ptr>(what->first);
  const auto remote = flow_.actor(what->second);
  if (!remote)
    return true;
  if (together && local)
    version::link(remote, local);
  else if (local)
    version::unlink(remote, local);
  return true;
}

bool delivery::taken(bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  flow_.back()->take_back(what->first);
  return true;
}

bool delivery::redirected(bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  const auto to = memory::slot_id::unpacked(what->third);
  if (to == node_.self()
      || to.index >= memory::run_memory::current().header().slots)
    return true;
  if (node_.requests().move(what->first, what->second, to)) {
    const auto other = node_.peer_of(to);
    if (other->failed())
      node_.give_up(*other, other->failure());
    else
      node_.receiver().look_again_for_deaths();
  }
  return true;
}

} // namespace troupe::transport
