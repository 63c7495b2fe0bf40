// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/peer.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/object_of_this_thread.hpp>
#include <troupe/mailbox/copy_into_ring.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/tuning.hpp>
#include <troupe/transport/actor_ends.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/dead_letters.hpp>
#include <troupe/transport/message_bytes.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/node_name.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/sec.hpp>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace troupe::transport {

namespace {

/// From this size on a message is written straight into the ring: one copy
/// less, but the ring stays locked while inspect functions run.
constexpr std::size_t large_message = std::size_t{8} << 10;

/// How large the last message of this thread was: the guess for the next one.
thread_local std::size_t last_size = 0;

/// Serialised messages of this thread, kept because allocating one for each
/// message costs more than writing it; `spare` where there is none.
std::vector<std::byte>& scratch(std::vector<std::byte>& spare) {
  struct serialised {
    std::vector<std::byte> bytes;
  };
  auto* kept = object_of_this_thread<serialised>();
  if (kept == nullptr)
    return spare;
  if (kept->bytes.size() > (std::size_t{4} << 20)
      && last_size < large_message) {
    kept->bytes.clear();
    kept->bytes.shrink_to_fit();
  }
  return kept->bytes;
}

/// Why a message could not be written.
caf::error refusal_of(const byte_writer& sink) {
  if (code_of(sink.get_error()) != errc::none)
    return sink.get_error();
  return make_error(errc::invalid_argument,
                    "send a message: an inspect function refuses: "
                      + to_string(sink.get_error()));
}

} // namespace

peer::peer(node& of, memory::slot_id process)
  : node_(of),
    process_(process),
    name_(node_of(process)),
    slot_(memory::run_memory::current().slot(process.index)) {
}

bool peer::send(caf::actor_id target, caf::mailbox_element& what) {
  if (!may_send(target, what))
    return false;
  auto origin = address(target, what);
  const auto* stages = version::stages_of(what);
  const auto image = stages == nullptr ? image_size(what.payload) : 0;
  if (!origin.third
      && (image != 0 || (stages == nullptr && last_size >= large_message))
      && send_in_place(origin, what, image))
    return true;
  std::vector<std::byte> spare;
  auto& buffer = scratch(spare);
  written_message written;
  if (!write(what, origin, image, buffer, written))
    return false;
  return publish(what, origin, buffer, std::move(written));
}

/// False if the message is refused before it is written.
bool peer::may_send(caf::actor_id target, caf::mailbox_element& what) {
  if (failed())
    return refuse(what, target, failure_for(target), "its process is dead");
  if (version::is_stream(what.mid))
    return refuse(what, target,
                  make_error(errc::invalid_argument,
                             "send a part of a stream: CAF 0.18's streams stay "
                             "in their process; send messages, or use a "
                             "troupe::queue"),
                  "streams stay in their process");
  if (const auto type = unknown_type(what.payload.types())) {
    keep_for_ever(std::move(what.payload));
    what.payload = caf::message{};
    return refuse(what, target,
                  type_refusal(*type, "its type is not registered"),
                  "a type is not registered");
  }
  return true;
}

/// The head of a message to `target`. A request is known as open from now on,
/// or its asker's process is told that it comes here.
peer::message_origin peer::address(caf::actor_id target,
                                   const caf::mailbox_element& what) {
  message_origin result;
  auto& head = result.head;
  head = {target, 0, what.mid.integer_value(), node_.self().packed()};
  if (!what.sender)
    return result;
  const auto asks = what.mid.is_request();
  if (node_.is_local(what.sender)) {
    result.ours = true;
    node_.export_actor(what.sender);
    head.sender = what.sender->aid;
    if (asks)
      node_.requests().add(what.sender, what.mid, {process_, target});
  } else if (const auto home = process_of(what.sender->nid)) {
    head.sender = what.sender->aid;
    head.sender_slot = home->packed();
    result.third = *home != process_;
    if (asks && result.third) {
      // First: who is killed between must not take the request with it.
      node_.peer_of(*home)->send_control(
        frame_kind::redirected, {what.sender->aid, head.id, process_.packed()});
      TROUPE_CRASH_POINT("transport.request.announced");
    }
  }
  return result;
}

/// Writes the message into `buffer`, which has its head in front then. False if
/// it is refused: then nothing is lent.
bool peer::write(caf::mailbox_element& what, const message_origin& origin,
                 std::size_t image, std::vector<std::byte>& buffer,
                 written_message& result) {
  const auto target = origin.head.target;
  const auto third = origin.third ? what.sender : nullptr;
  auto size = sizeof origin.head;
  if (image != 0) {
    result.tag.flags = as_image;
    if (third)
      result.carried.actors.push_back(third);
    const auto behind = third ? sizeof(std::uint64_t) : 0;
    buffer.resize(std::max(buffer.size(), size + image + behind));
    write_image(what.payload, buffer.data() + size);
    size += image + behind;
  } else {
    byte_writer sink{&node_.system(), buffer, size};
    if (const auto* stages = version::stages_of(what)) {
      result.tag.flags |= with_stages;
      auto copy = *stages;
      if (!sink.apply(copy))
        return refuse(what, target, sink.get_error(), "it cannot be written");
    }
    if (!write_message(sink, what.payload)) {
      end_loan(loan_of(sink, third));
      return refuse(what, target, refusal_of(sink), "it cannot be written");
    }
    result.carried = loan_of(sink, third);
    if (!result.carried.empty()) {
      const std::uint64_t none = 0;
      sink.append(&none, sizeof none);
    }
    size = sink.written();
  }
  if (!result.carried.empty())
    result.tag.flags |= with_handles;
  last_size = size;
  result.size = size;
  if (size > largest_body) {
    end_loan(std::move(result.carried));
    return refuse(what, target,
                  make_error(errc::limit_reached,
                             "send a message of " + std::to_string(size)
                               + " bytes: 4 GiB is the most"),
                  "it is too large");
  }
  std::memcpy(buffer.data(), &origin.head, sizeof origin.head);
  return true;
}

/// Puts what was written into the ring, or has it wait for room.
bool peer::publish(caf::mailbox_element& what, const message_origin& origin,
                   std::vector<std::byte>& buffer, written_message written) {
  const auto target = origin.head.target;
  const auto size = written.size;
  lock held{mutex_};
  if (!open(held)) {
    held.unlock();
    end_loan(std::move(written.carried));
    return refuse(what, target, failure_for(target),
                  failed() ? "its process is dead"
                           : "there is no room for a ring to its process");
  }
  if (const auto type = disputed_type(what.payload)) {
    held.unlock();
    end_loan(std::move(written.carried));
    return refuse(what, target,
                  type_refusal(*type, "its process has another type there"),
                  "a type differs");
  }
  if (!written.carried.empty()) {
    const auto number = lend(std::move(written.carried));
    std::memcpy(buffer.data() + size - sizeof number, &number, sizeof number);
  }
  const auto ended = origin.ours && !count(what.sender->aid);
  if (auto* room = outgoing_->reserve(size)) {
    mailbox::copy_into_ring(room, buffer.data(), size);
    outgoing_->commit(size, written.tag);
    unlock_and_notify(held);
  } else {
    const auto urgent = what.mid.is_urgent_message();
    const auto first = outgoing_->idle();
    const auto data = outgoing_->wait(urgent, written.tag,
                                      {buffer.data(), buffer.data() + size});
    wait_for_room(held, first, data);
    if (held.owns_lock())
      held.unlock();
  }
  if (ended)
    tell_end_of(what.sender);
  return true;
}

/// Gives the lock up after a frame was published, and wakes the reader if it
/// sleeps.
void peer::unlock_and_notify(lock& held) {
  const auto sleeps = outgoing_->sleeps(slot_);
  held.unlock();
  if (sleeps)
    memory::notify(slot_);
}

/// A type in the message that this process and that one disagree about.
std::optional<caf::type_id_t>
peer::disputed_type(const caf::message& content) const noexcept {
  if (!disputed_.empty())
    for (const auto type : content.types())
      if (disputes(type))
        return type;
  return std::nullopt;
}

/// The quick way: nothing waits and there is room. False otherwise, and then
/// nothing has happened.
bool peer::send_in_place(const message_origin& origin,
                         const caf::mailbox_element& what, std::size_t image) {
  const auto& head = origin.head;
  lock held{mutex_};
  if (!open(held) || !disputed_.empty())
    return false;
  std::size_t size = 0;
  // Not of eight bits: one that is stored so and read as a whole word would
  // wait for all that was written into the ring.
  unsigned flags = as_image;
  if (image != 0) {
    size = sizeof head + image;
    auto* room = outgoing_->reserve(size);
    if (room == nullptr)
      return false;
    std::memcpy(room, &head, sizeof head);
    write_image(what.payload, room + sizeof head);
  } else {
    flags = 0;
    const auto room = outgoing_->reserve_about(last_size);
    if (room.empty())
      return false;
    byte_writer sink{&node_.system(), room.data(), room.data() + room.size()};
    // Handles of actors are lent without this lock: see `loan_of`.
    if (!sink.append(&head, sizeof head) || !write_message(sink, what.payload)
        || !sink.actors().empty()) {
      last_size = 0;
      return false;
    }
    if (!sink.objects().empty()) {
      const auto number = last_loan_ + 1;
      if (!sink.append(&number, sizeof number))
        return false;
      lend({std::move(sink.objects()), {}, {}});
      flags |= with_handles;
    }
    size = sink.written();
    last_size = size;
  }
  const auto ended = origin.ours && !count(what.sender->aid);
  outgoing_->commit(size,
                    {frame_kind::message, static_cast<std::uint8_t>(flags)});
  unlock_and_notify(held);
  if (ended)
    tell_end_of(what.sender);
  return true;
}

bool peer::idle() const noexcept {
  return failed() || ((!outgoing_ || outgoing_->idle()) && lent_.empty());
}

/// Sends a control frame; never waits. Behind the data that waits unless it is
/// `urgent`. False if it is lost. Gives the lock up.
bool peer::put(lock& held, frame_tag tag, std::vector<std::byte> body,
               bool urgent) {
  if (!open(held))
    return false;
  bool flushed = false;
  if (auto* room = outgoing_->reserve(body.size())) {
    std::memcpy(room, body.data(), body.size());
    outgoing_->commit(body.size(), tag);
  } else {
    outgoing_->wait(urgent, tag, std::move(body));
    static_cast<void>(outgoing_->flush());
    set_congested(!outgoing_->idle());
    flushed = true;
  }
  unlock_and_notify(held);
  // The hub may find nothing to flush any more, and then wakes nobody.
  if (flushed)
    room_.notify_all();
  return true;
}

void peer::flush() {
  lock held{mutex_};
  if (failed() || !outgoing_)
    return;
  const auto before = outgoing_->waiting();
  const auto published = outgoing_->flush();
  if (outgoing_->idle())
    set_congested(false);
  const auto sleeps = published && outgoing_->sleeps(slot_);
  const auto relieved = outgoing_->waiting() < before || outgoing_->idle();
  held.unlock();
  if (sleeps)
    memory::notify(slot_);
  if (relieved)
    room_.notify_all();
}

bool peer::could_flush() {
  if (!congested_.load(std::memory_order_relaxed) || failed())
    return false;
  const lock held{mutex_};
  return outgoing_ && outgoing_->could_flush();
}

void peer::fail(caf::error reason, std::map<caf::actor_id, caf::error> ended) {
  std::size_t lost = 0;
  // They may end with it, which takes its time.
  std::vector<memory::reference> objects;
  {
    const lock held{mutex_};
    if (failed())
      return;
    failure_ = std::move(reason);
    ended_ = std::move(ended);
    failed_.store(true, std::memory_order_release);
    set_congested(false);
    if (outgoing_)
      lost = outgoing_->discard();
    for (auto& [number, each] : lent_)
      std::ranges::move(std::exchange(each.objects, {}),
                        std::back_inserter(objects));
    std::erase_if(lent_, [](const auto& each) { return each.second.empty(); });
    sent_.clear();
    last_sent_ = 0;
    outgoing_.reset();
  }
  room_.notify_all();
  if (lost != 0)
    count_dead_letters(lost);
}

void peer::set_congested(bool congested) noexcept {
  if (congested_.exchange(congested, std::memory_order_relaxed) != congested)
    node_.count_congested(congested ? 1 : -1);
}

caf::error peer::failure() const {
  const lock held{mutex_};
  return failure_;
}

/// Why a request to that actor fails.
caf::error peer::failure_for(caf::actor_id target) const {
  caf::error why;
  {
    const lock held{mutex_};
    if (ended_.contains(target))
      return caf::sec::request_receiver_down;
    why = failure_;
  }
  // Not under the lock: it reads errors of the user's types.
  if (failed()
      && actor_ends::left_by(node_.system(), process_).contains(target))
    return caf::sec::request_receiver_down;
  return why;
}

bool peer::disputes(caf::type_id_t type) const noexcept {
  return std::binary_search(disputed_.begin(), disputed_.end(), type);
}

void peer::drain(deadline limit) {
  lock held{mutex_};
  room_.wait_until(held, limit.when(), [this] { return idle(); });
}

bool peer::refuse(caf::mailbox_element& what, caf::actor_id target,
                  caf::error reason, std::string_view why) {
  if (what.mid.is_request() && what.sender) {
    if (node_.is_local(what.sender))
      node_.requests().remove(what.sender->aid, what.mid);
    node_.fail_request(what.sender, what.mid, reason);
  }
  report_dead_letter({target, what.sender, what.payload, std::string{why}});
  return false;
}

/// Finds the reader's inbox and makes the ring, at the first frame. False if
/// the process is dead or has no actors, or if there is no room for the ring.
bool peer::open(lock&) {
  if (failed())
    return false;
  if (outgoing_)
    return true;
  try {
    auto inbox = mailbox::inbox::of(process_);
    if (!inbox) {
      failure_ = death_of(process_);
      failed_.store(true, std::memory_order_release);
      node_.receiver().post([&of = node_, process = process_] {
        of.give_up(*of.peer_of(process), death_of(process));
      });
      return false;
    }
    const auto& table = type_table::current();
    std::vector<caf::type_id_t> disputed;
    if (inbox.types() != table.fingerprint())
      disputed = table.differences(inbox.names());
    outgoing_.emplace(node_.self(), process_, std::move(inbox),
                      table.fingerprint());
    disputed_ = std::move(disputed);
    return true;
  } catch (const limit_reached& problem) {
    // Only this frame is lost: the next one tries again.
    failure_ = to_caf(problem);
    return false;
  }
}

/// Something was added to what waits: sends what can be sent, then makes the
/// calling thread wait if it may, there is too much, and it was `data`: who
/// sends what overtakes data does not wait for it either. The `first` to find
/// the ring full looks for a moment whether the reader is just behind.
void peer::wait_for_room(lock& held, bool first, bool data) {
  set_congested(true);
  const auto on_duty = node_.receiver().on_duty();
  os::spinning turns{tuning::ring_room};
  bool looks = first;
  while (outgoing_ && !outgoing_->idle()) {
    const auto published = outgoing_->flush();
    if (published && outgoing_->sleeps(slot_)) {
      held.unlock();
      memory::notify(slot_);
      held.lock();
    }
    if (on_duty || !outgoing_ || (!published && !looks))
      break;
    if (!published) {
      held.unlock();
      looks = turns.pause();
      held.lock();
    }
  }
  if (outgoing_ && outgoing_->idle())
    set_congested(false);
  // The hub may find nothing to flush any more, and then wakes nobody.
  room_.notify_all();
  if (on_duty) {
    if (outgoing_ && outgoing_->waiting() > high_water)
      node_.receiver().note_flood();
    return;
  }
  if (!data)
    return;
  room_.wait(held, [&] {
    return failed() || !outgoing_ || outgoing_->waiting() < high_water;
  });
}

} // namespace troupe::transport
