// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/incoming_channel.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/transport/delivery.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/proxy.hpp>

#include <utility>

namespace troupe::transport {

incoming_channel::incoming_channel(node& of, memory::slot_id writer,
                                   std::shared_ptr<peer> back,
                                   memory::reference ring)
  : node_(of), writer_(writer), back_(std::move(back)), ring_(std::move(ring)) {
}

std::size_t incoming_channel::drain(std::size_t most,
                                    version::execution_context& context) {
  std::size_t taken = 0;
  while (taken < most && !broken_) {
    mailbox::ring_frame found;
    const auto state = ring_.next(found);
    if (state == mailbox::ring_state::empty)
      break;
    if (state == mailbox::ring_state::broken) {
      refuse("the ring's counters or the length of a frame are impossible");
      break;
    }
    const auto tag = frame_tag::unpacked(found.tag);
    if (!tag) {
      refuse("a frame of a kind that does not exist");
      break;
    }
    if (tag->kind == frame_kind::moved) {
      if (!take_moved(found.body))
        break;
    } else {
      take(*tag, found.body, context);
      ring_.take();
    }
    TROUPE_CRASH_POINT("transport.hub.taken");
    ++taken;
    if (ring_.unreleased() >= ring_.capacity() / 4)
      release();
  }
  if (ring_.unreleased() != 0)
    release();
  return taken;
}

void incoming_channel::release() noexcept {
  if (ring_.release())
    if (auto* slot = memory::run_memory::current().find(writer_))
      memory::notify(*slot);
}

const caf::strong_actor_ptr& incoming_channel::sender(caf::actor_id id) {
  if (last_ == nullptr || id != last_id_) {
    auto& known = senders_[id];
    if (!known.actor)
      known.actor = node_.imported().obtain({writer_, id},
                                            imports::origin::its_process);
    last_ = &known;
    last_id_ = id;
  }
  ++last_->times;
  last_->used = true;
  return last_->actor;
}

const caf::strong_actor_ptr& incoming_channel::target(caf::actor_id id) {
  if (id != target_ || target_ == 0) {
    target_actor_ = node_.local(id);
    target_ = target_actor_ ? id : 0;
  }
  target_used_ = true;
  return target_actor_;
}

/// Its proxy says how many handles have come when it goes.
void incoming_channel::let_go(known_sender& of) {
  if (of.actor)
    static_cast<proxy*>(of.actor->get())->count(std::exchange(of.times, 0));
}

void incoming_channel::forget_actor(caf::actor_id id) {
  if (last_id_ == id)
    last_ = nullptr;
  senders_.erase(id);
}

bool incoming_channel::sweep() {
  if (!std::exchange(target_used_, false))
    forget_target();
  last_ = nullptr;
  for (auto at = senders_.begin(); at != senders_.end();) {
    const auto here = at++;
    if (std::exchange(here->second.used, false))
      continue;
    let_go(here->second);
    senders_.erase(here);
  }
  return target_actor_ || !senders_.empty();
}

bool incoming_channel::take(frame_tag tag, bytes_view body,
                            version::execution_context& context) {
  switch (tag.kind) {
    case frame_kind::first_piece: return take_first_piece(body);
    case frame_kind::piece: return take_piece(body, context);
    default: {
      const delivery deliver{node_, *this, context};
      if (!deliver(tag, body))
        return refuse("a frame of kind "
                      + std::to_string(static_cast<int>(tag.kind))
                      + " with a malformed body");
      return true;
    }
  }
}

bool incoming_channel::take_first_piece(bytes_view body) {
  const auto head = take_head<piece_head>(body);
  if (!head || whole_size_ != 0 || head->size > largest_body
      || head->size <= body.size())
    return refuse("the first piece of a large frame with an impossible size");
  const auto tag = frame_tag::unpacked(head->tag);
  if (!tag || tag->kind != frame_kind::message)
    return refuse("a large frame that is not a message");
  // Not reserved in one go: the size is only a claim until the bytes are here.
  whole_tag_ = *tag;
  whole_size_ = head->size;
  whole_.assign(body.begin(), body.end());
  return true;
}

bool incoming_channel::take_piece(bytes_view body,
                                  version::execution_context& context) {
  if (whole_size_ == 0 || body.size() > whole_size_ - whole_.size())
    return refuse("a piece without a first piece");
  whole_.insert(whole_.end(), body.begin(), body.end());
  if (whole_.size() < whole_size_)
    return true;
  const auto bytes = std::move(whole_);
  whole_ = {};
  whole_size_ = 0;
  return take(whole_tag_, bytes, context);
}

bool incoming_channel::take_moved(bytes_view body) {
  const auto where = take_head<std::uint64_t>(body);
  if (!where)
    return refuse("a change of rings without a ring");
  try {
    auto next = memory::reference::attach(*where, memory::object_kind::ring);
    if (!mailbox::is_ring_to_self(next)
        || next.as<mailbox::ring_head>()->writer != writer_.packed())
      return refuse("a change to a ring of another writer");
    ring_ = mailbox::ring_reader{std::move(next)};
    return true;
  } catch (const error& failure) {
    return refuse(failure.what());
  }
}

bool incoming_channel::refuse(std::string why) {
  broken_ = true;
  trouble_ = std::move(why);
  return false;
}

} // namespace troupe::transport
