// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/pipe_end.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/items.hpp>
#include <troupe/memory/late_object.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/os/crash_point.hpp>

#include <atomic>
#include <cstring>
#include <string>

namespace troupe::channel {

namespace {

using mailbox::message_queue;
using memory::late_object;
using memory::object_id;
using memory::object_kind;
using memory::reference;

/// The payload of an end.
///
///     0    fingerprint   of the connection's type
///     8    window        of the mailboxes
///     16   peer          id of the other end
///     24   owner         of the mailboxes: which of the two ends this is
///     28   ways          1: it receives, 2: it sends
///     32   in            the mailbox to receive from
///     48   out           the mailbox to send to
///
/// Never changes before the end's last holder is gone, but for the mailboxes,
/// which come later.
struct end_object {
  static constexpr std::uint32_t receives = 1;
  static constexpr std::uint32_t sends = 2;

  std::uint64_t fingerprint;
  std::uint64_t window;
  object_id peer;
  memory::owner owner;
  std::uint32_t ways;
  late_object in;
  late_object out;
};

static_assert(sizeof(end_object) == 64);

message_queue* as_box(std::byte* payload) noexcept {
  return reinterpret_cast<message_queue*>(payload);
}

void dispose(std::byte* payload, std::uint64_t) noexcept {
  auto& end = *reinterpret_cast<end_object*>(payload);
  // The news first: should this be killed in between, it is called again. The
  // readers' end before the writers': who hears that nothing more comes must
  // not be able to send any more.
  if (auto* box = as_box(end.in.find_owned(end.owner, object_kind::queue)))
    box->readers_gone();
  if (auto* box = as_box(end.out.find_owned(end.owner, object_kind::queue)))
    box->writers_gone();
  TROUPE_CRASH_POINT("pipe.close.told");
  end.out.give_up(end.owner);
  end.in.give_up(end.owner);
}

void holder_died(std::byte* payload, std::uint64_t,
                 std::uint32_t slot) noexcept {
  auto& end = *reinterpret_cast<end_object*>(payload);
  // Who has used a mailbox has found it ready.
  for (const auto* way : {&end.in, &end.out})
    if (auto* box = as_box(way->find()))
      box->user_died(slot);
}

const bool registered = memory::register_kind(object_kind::connection,
                                              {.dispose = dispose,
                                               .holder_died = holder_died,
                                               .layout = pipe_end::layout()});

reference make_box(const void* context) {
  const auto& end = *static_cast<const end_object*>(context);
  return message_queue::create(
    {.fingerprint = end.fingerprint, .window = end.window});
}

/// The other end; nothing where that has gone.
reference attach_peer(const end_object& end) {
  try {
    return reference::attach(end.peer, object_kind::connection);
  } catch (const stale_handle&) {
    return {};
  }
}

/// What the other end would have told the mailbox of a way when it went, had it
/// been there. In the same order: who is told that nothing more comes must not be
/// able to send any more.
void tell_that_peer_has_gone(const end_object& end, message_queue& box,
                             bool is_in) noexcept {
  if (!is_in)
    return box.readers_gone();
  if (auto* out = as_box(end.out.find()))
    out->readers_gone();
  box.writers_gone();
}

/// Sees that there is a mailbox in `way`, one of the two of `end`, and that the
/// other end knows it too. docs/design/mailbox.md argues each death.
/// @pre the caller holds the end
message_queue& open(end_object& end, late_object& way) {
  if (auto* box = as_box(way.find()))
    return *box;
  // While both are held, neither end goes.
  if (const auto peer = attach_peer(end)) {
    auto& others = *peer.as<end_object>();
    auto& other = &way == &end.in ? others.out : others.in;
    const bool is_first = end.owner == memory::owner::first;
    // What the first end names is the one, for both.
    auto& first = is_first ? way : other;
    auto& second = is_first ? other : way;
    const auto box = first.claim(memory::owner::first, object_kind::queue,
                                 make_box, &end);
    second.take(box, memory::owner::second);
    // Only now, that both ends will tell it when they go.
    second.set_ready();
    TROUPE_CRASH_POINT("pipe.open.half_ready");
    first.set_ready();
  } else {
    // So nobody else changes this end's.
    const auto box = way.claim(end.owner, object_kind::queue, make_box, &end);
    tell_that_peer_has_gone(end, *box.as<message_queue>(), &way == &end.in);
    TROUPE_CRASH_POINT("pipe.open.told");
    way.set_ready();
  }
  return *as_box(way.find());
}

} // namespace

pipe_end::boxes
pipe_end::boxes_in(std::span<const std::byte, payload> copied) noexcept {
  boxes result{};
  const auto read = [&copied](std::size_t way) {
    object_id box = 0;
    // Who waits at a mailbox finds both ends to have named it; ready it may be for
    // one of them.
    std::memcpy(&box, copied.data() + way + offsetof(late_object, named),
                sizeof box);
    return box;
  };
  result.in = read(offsetof(end_object, in));
  result.out = read(offsetof(end_object, out));
  return result;
}

std::uint32_t pipe_end::layout() noexcept {
  static_assert(sizeof(end_object) == payload);
  return memory::layout_of({sizeof(end_object), offsetof(end_object, in),
                            offsetof(end_object, out),
                            offsetof(late_object, named)});
}

pipe_end::pipe_end(reference object) noexcept : object_(std::move(object)) {
}

bool pipe_end::can_receive() const noexcept {
  return object_
         && (object_.as<const end_object>()->ways & end_object::receives) != 0;
}

bool pipe_end::can_send() const noexcept {
  return object_
         && (object_.as<const end_object>()->ways & end_object::sends) != 0;
}

std::pair<pipe_end, pipe_end> pipe_end::make(std::uint64_t fingerprint,
                                             bool both_ways,
                                             std::uint64_t most_unread) {
  static_cast<void>(registered);
  auto first = reference::create(object_kind::connection, sizeof(end_object));
  auto second = reference::create(object_kind::connection, sizeof(end_object));
  const auto fill = [&](const reference& end, const reference& peer,
                        memory::owner which, std::uint32_t ways) {
    auto& made = *end.as<end_object>();
    made.fingerprint = fingerprint;
    made.window = most_unread;
    made.peer = peer.id();
    made.owner = which;
    made.ways = both_ways ? end_object::receives | end_object::sends : ways;
  };
  fill(first, second, memory::owner::first, end_object::receives);
  fill(second, first, memory::owner::second, end_object::sends);
  return {pipe_end{std::move(first)}, pipe_end{std::move(second)}};
}

message_queue& pipe_end::open_in() const {
  if (can_receive()) {
    auto& end = *object_.as<end_object>();
    auto& box = open(end, end.in);
    in_.store(&box);
    return box;
  }
  throw invalid_state(
    "receive from a pipe",
    object_ ? "this is its sending end"
            : "this handle is closed, or has never had a pipe",
    object_
      ? "the first of pipe(one_way) receives"
      : "close a connection after its last use; pipe<T>() makes the ends");
}

message_queue& pipe_end::open_out() const {
  if (can_send()) {
    auto& end = *object_.as<end_object>();
    auto& box = open(end, end.out);
    out_.store(&box);
    return box;
  }
  throw invalid_state(
    "send into a pipe",
    object_ ? "this is its receiving end"
            : "this handle is closed, or has never had a pipe",
    object_
      ? "the second of pipe(one_way) sends"
      : "close a connection after its last use; pipe<T>() makes the ends");
}

void pipe_end::close() noexcept {
  in_.store(nullptr);
  out_.store(nullptr);
  object_.reset();
}

void pipe_end::send_bytes(bytes_view message) const {
  static_cast<void>(result_of(out().put({message}, deadline::never()),
                              "send bytes into a pipe"));
}

namespace {

/// Takes the next message, unless it is longer than `longest`, and passes it to
/// `use`.
template <class Use>
void take_bytes(message_queue& box, std::size_t longest, Use use) {
  std::size_t too_long = 0;
  const auto outcome = box.take(
    [&](const mailbox::message& shown) {
      if (shown.body.size() > longest) {
        too_long = shown.body.size();
        return mailbox::visit_result::leave;
      }
      use(shown.body);
      return mailbox::visit_result::taken;
    },
    1, deadline::never());
  if (outcome == mailbox::take_outcome::ended)
    throw_ended("receive bytes from a pipe");
  if (too_long != 0)
    throw limit_reached("receive at most " + std::to_string(longest)
                          + " bytes from a pipe",
                        "the next message has " + std::to_string(too_long),
                        "it is still there: receive it with more room");
}

} // namespace

bytes pipe_end::receive_bytes(std::size_t longest) const {
  bytes result;
  take_bytes(in(), longest, [&](bytes_view body) {
    count_copy(body.size());
    result.assign(body.begin(), body.end());
  });
  return result;
}

std::size_t pipe_end::receive_bytes_into(bytes_span into) const {
  std::size_t size = 0;
  take_bytes(in(), into.size(), [&](bytes_view body) {
    copy_bytes(into.data(), body.data(), body.size());
    size = body.size();
  });
  return size;
}

void pipe_end::save(codec::encoder& to) const {
  if (!object_)
    throw invalid_state(
      "send a connection", "this handle is closed, or has never had a pipe",
      "close a connection after its last use; pipe<T>() makes the ends");
  to.handle(object_);
}

pipe_end pipe_end::load(codec::decoder& from, std::uint64_t fingerprint,
                        std::string_view type) {
  auto object = channel::attach(from, object_kind::connection);
  if (!object)
    from.refuse(type, "the handle is empty");
  if (object.size() < sizeof(end_object)
      || object.as<const end_object>()->fingerprint != fingerprint)
    from.refuse(type, "it is a handle of a connection of another type");
  return pipe_end{std::move(object)};
}

} // namespace troupe::channel
