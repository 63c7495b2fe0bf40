// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/delivery.hpp>

#include <troupe/os/crash_point.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/dead_letters.hpp>
#include <troupe/transport/incoming_channel.hpp>
#include <troupe/transport/message_bytes.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/proxy.hpp>
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
    case frame_kind::redirected:
    case frame_kind::arrived: return passed_on(tag.kind, body);
    case frame_kind::settle:
    case frame_kind::settled: return settle(tag.kind, body);
    case frame_kind::taken: return taken(body);
    case frame_kind::watched: return watched(body);
    case frame_kind::dropped: return dropped(body);
    case frame_kind::kept: return kept(body);
    case frame_kind::unnamed: return unnamed(body);
    default: return false;
  }
}

caf::strong_actor_ptr delivery::sender_of(const message_head& head) const {
  if (head.sender == 0)
    return nullptr;
  const auto home = memory::slot_id::unpacked(head.sender_slot);
  if (home == from_.writer())
    return from_.sender(head.sender);
  return node_.actor_in(home, head.sender);
}

/// A request whose answer does not go back to the process that it comes from
/// was passed on.
void delivery::note_request(const message_head& head,
                            const caf::strong_actor_ptr& sender) const {
  const auto home = memory::slot_id::unpacked(head.sender_slot);
  if (home == from_.writer())
    return;
  const caf::message_id id{head.id};
  if (node_.is_local(sender)) {
    node_.requests().came_home(sender->aid, id, from_.writer());
    return;
  }
  TROUPE_CRASH_POINT("transport.request.arrived");
  node_.peer_of(home)->send_control(
    frame_kind::arrived, {head.sender, head.id, from_.writer().packed()});
}

bool delivery::message(frame_tag tag, bytes_view body) const {
  const auto head = take_head<message_head>(body);
  if (!head || (tag.flags & ~(with_stages | as_image | with_handles)) != 0
      || ((tag.flags & as_image) != 0 && (tag.flags & with_stages) != 0))
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
  const auto& target = from_.target(head->target);
  auto sender = sender_of(*head);
  if (id.is_response())
    node_.requests().remove(head->target, id);
  else if (id.is_request() && sender)
    note_request(*head, sender);
  // The quick way: most are small, and carry nothing.
  if (tag.flags == as_image) {
    caf::message read;
    caf::type_id_t type = 0;
    if (read_image(body, read, type) == read_result::done) {
      deliver(*head, target, std::move(sender), {}, std::move(read));
      return true;
    }
  }
  auto content = read_content(tag, body);
  // Whether or not somebody can read it: what it carries is this process's now.
  if ((tag.flags & with_handles) != 0) {
    if (const auto home = memory::slot_id::unpacked(head->sender_slot);
        sender && !node_.is_local(sender) && home != from_.writer())
      content.handles.push_back({home, head->sender});
    TROUPE_CRASH_POINT("transport.handles.attached");
    node_.imported().when_known(content.handles, [back = from_.back(), loan] {
      back->send_control(frame_kind::taken, {loan, 0, 0});
    });
    TROUPE_CRASH_POINT("transport.handles.taken");
  }
  if (content.result != read_result::done)
    unread(*head, sender, refusal_of(content));
  else
    deliver(*head, target, std::move(sender), std::move(content.stages),
            std::move(content.content));
  return true;
}

/// Reads what a message says, and which handles of actors it has.
delivery::message_content delivery::read_content(frame_tag tag,
                                                 bytes_view body) const {
  message_content result;
  if ((tag.flags & as_image) != 0) {
    result.result = read_image(body, result.content, result.type);
    return result;
  }
  byte_reader source{&node_.system(), &context_, body};
  do {
    result.result = read_result::malformed;
    if ((tag.flags & with_stages) == 0 || source.apply(result.stages))
      result.result = read_message(source, result.content, result.type);
  } while (source.start_again());
  if (result.result == read_result::done && source.left() != 0)
    result.result = read_result::malformed;
  if (result.result == read_result::done)
    make_showable(result.content);
  else
    result.refusal = source.get_error();
  node_.handles_read(source.actors());
  result.handles = source.actors();
  return result;
}

/// Why a message could not be read.
caf::error delivery::refusal_of(const message_content& content) {
  if (content.result == read_result::unknown_type)
    return make_error(errc::unknown_message_type,
                      "read a message from another process: type "
                        + name_of(content.type)
                        + " is not known here, or not the same; name its "
                          "type-id block in troupe::use_messages before "
                          "troupe::program");
  // A handle in it may say more.
  if (code_of(content.refusal) != errc::none)
    return content.refusal;
  return make_error(errc::malformed_bytes,
                    "read a message from another process: its bytes are no "
                    "such message");
}

/// Gives a message that was read to its actor; empty where there is none.
void delivery::deliver(const message_head& head,
                       const caf::strong_actor_ptr& target,
                       caf::strong_actor_ptr sender, version::stages stages,
                       caf::message content) const {
  const caf::message_id id{head.id};
  if (!target) {
    if (id.is_request() && sender)
      node_.fail_request(sender, id, caf::sec::request_receiver_down);
    report_dead_letter(
      {head.target, sender, content, "no such actor lives in its process"});
    return;
  }
  auto* runner = node_.receiver().runner_for(head.target);
  if (!target->enqueue(version::make_element(std::move(sender), id,
                                             std::move(stages),
                                             std::move(content)),
                       runner)) {
    from_.forget_target();
    report_dead_letter({head.target, nullptr, {}, "its actor has ended"});
  }
}

void delivery::unread(const message_head& head,
                      const caf::strong_actor_ptr& sender,
                      const caf::error& why) const {
  const caf::message_id id{head.id};
  if (id.is_request() && sender) {
    node_.fail_request(sender, id, why);
  } else if (id.is_response()) {
    // The asker is ours, and waits for just this.
    if (auto asker = node_.local(head.target))
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
  const auto actor = node_.local(what->first);
  if (actor && node_.exported()->note(actor)
      && from_.back()->count_handle(what->first)) {
    from_.back()->send_control(frame_kind::watched, {what->first, 0, 0});
    return true;
  }
  from_.back()->send_control(frame_kind::watched, {what->first, 0, 0});
  if (actor)
    actor->get()->attach_functor(
      [to = from_.back(), ended = what->first](const caf::error& reason) {
        to->send_down(ended, reason);
      });
  else
    from_.back()->send_down(
      what->first, node_.ends()
                     .reason_of(what->first)
                     .value_or(make_error(
                       errc::stale_handle,
                       "there is no such actor, or it has ended long ago")));
  return true;
}

bool delivery::watched(bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  node_.imported().known({from_.writer(), what->first});
  return true;
}

bool delivery::dropped(bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  TROUPE_CRASH_POINT("transport.handles.dropped");
  from_.back()->give_back(what->first, what->second, what->third == 1);
  return true;
}

bool delivery::kept(bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  if (const auto actor = node_.local(what->first))
    node_.exported()->keep(actor);
  return true;
}

bool delivery::unnamed(bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  node_.exported()->names_changed();
  return true;
}

bool delivery::down(bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what)
    return false;
  byte_reader source{&node_.system(), &context_, body};
  caf::error reason;
  bool read = false;
  do
    read = source.apply(reason);
  while (source.start_again());
  if (!read || source.left() != 0)
    return false;
  if (!is_showable(reason))
    reason = make_error(errc::malformed_bytes,
                        "the actor ended for a reason that cannot be shown");
  from_.forget_actor(what->first);
  node_.imported().ended({from_.writer(), what->first}, reason);
  return true;
}

bool delivery::link(bytes_view body, bool together) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  const auto local = node_.local(what->first);
  if (!together) {
    if (local)
      node_.imported().unlink({from_.writer(), what->second}, local);
    return true;
  }
  const auto remote = from_.sender(what->second);
  // One that has ended here is known to its proxies by its end.
  if (remote && local)
    static_cast<proxy*>(remote->get())->link_from_afar(local);
  return true;
}

bool delivery::taken(bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  from_.back()->take_back(what->first);
  return true;
}

bool delivery::passed_on(frame_kind kind, bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  const auto other = memory::slot_id::unpacked(what->third);
  if (other == node_.self()
      || other.index >= memory::run_memory::current().header().slots)
    return true;
  auto& requests = node_.requests();
  const bool announced = kind == frame_kind::redirected;
  const auto lost
    = announced
        ? requests.announced(what->first, what->second, from_.writer(), other)
        : requests.arrived(what->first, what->second, other, from_.writer());
  if (!lost)
    return true;
  node_.fail_requests(*lost);
  if (!announced)
    return true;
  // It may be dead already, and nobody would tell.
  const auto to = node_.peer_of(other);
  if (to->failed())
    node_.give_up(*to, to->failure());
  return true;
}

bool delivery::settle(frame_kind kind, bytes_view body) const {
  const auto what = take_head<actor_pair>(body);
  if (!what || !body.empty())
    return false;
  const auto dead = memory::slot_id::unpacked(what->first);
  if (dead.index >= memory::run_memory::current().header().slots)
    return true;
  if (kind == frame_kind::settled)
    node_.fail_requests(node_.requests().settled(dead, from_.writer()));
  else
    node_.receiver().settle(dead, from_.back());
  return true;
}

} // namespace troupe::transport
