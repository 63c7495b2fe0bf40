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

/// The payload of a pipe, which both ends have.
///
///     0    fingerprint   of the connection's type
///     8    window        of the mailboxes
///     16   to_first      the mailbox that the first end receives from
///     32   to_second     the one that the second end receives from
///     48   both_ways     1: each end receives and sends; 0: the first receives
///
/// Never changes before both ends are gone, but for the mailboxes, which come
/// later.
struct pipe_object {
  std::uint64_t fingerprint;
  std::uint64_t window;
  late_object to_first;
  late_object to_second;
  std::uint64_t both_ways;

  /// The mailbox that an end receives from.
  [[nodiscard]] late_object& in_of(bool second) noexcept {
    return second ? to_second : to_first;
  }

  /// The mailbox that an end sends to.
  [[nodiscard]] late_object& out_of(bool second) noexcept {
    return in_of(!second);
  }
};

static_assert(sizeof(pipe_object) == 56);
static_assert(sizeof(pipe_object) <= memory::object_head::size_of_two_sides);

message_queue* as_box(std::byte* payload) noexcept {
  return reinterpret_cast<message_queue*>(payload);
}

/// Tells both mailboxes that an end has gone. May be done again, and by
/// several. The readers' end before the writers': who hears that nothing more
/// comes must not be able to send any more.
void end_gone(pipe_object& pipe, bool second) noexcept {
  const auto find = [](const late_object& way) {
    return as_box(way.find_owned(object_kind::queue));
  };
  if (auto* box = find(pipe.in_of(second)))
    box->readers_gone();
  if (auto* box = find(pipe.out_of(second)))
    box->writers_gone();
}

void side_ended(std::byte* payload, bool second) noexcept {
  end_gone(*reinterpret_cast<pipe_object*>(payload), second);
  TROUPE_CRASH_POINT("pipe.close.told");
}

void dispose(std::byte* payload, std::uint64_t) noexcept {
  auto& pipe = *reinterpret_cast<pipe_object*>(payload);
  pipe.to_first.give_up();
  pipe.to_second.give_up();
}

void holder_died(std::byte* payload, std::uint64_t,
                 std::uint32_t slot) noexcept {
  auto& pipe = *reinterpret_cast<pipe_object*>(payload);
  // Who has used a mailbox has found it ready.
  for (const auto* way : {&pipe.to_first, &pipe.to_second})
    if (auto* box = as_box(way->find()))
      box->user_died(slot);
}

const bool registered = memory::register_kind(object_kind::connection,
                                              {.dispose = dispose,
                                               .holder_died = holder_died,
                                               .layout = pipe_end::layout(),
                                               .side_ended = side_ended});

reference make_box(const void* context) {
  const auto& pipe = *static_cast<const pipe_object*>(context);
  return message_queue::create(
    {.fingerprint = pipe.fingerprint, .window = pipe.window});
}

/// Sees that there is a mailbox in `way`, one of the two of the pipe of which
/// `end` is an end. docs/design/mailbox.md argues each death.
/// @pre the caller holds the end
message_queue& open(const reference& end, late_object& way) {
  if (auto* box = as_box(way.find()))
    return *box;
  auto& pipe = *end.as<pipe_object>();
  // Held until it is ready: it is owned by then, and stays as long as the pipe.
  const auto box = way.claim(object_kind::queue, make_box, &pipe);
  // Whoever ends the other end looks for the mailbox afterwards. So it finds
  // this one, or is found here to have ended that end.
  const auto other = memory::other_side(end.id());
  if (memory::kind_of(other) == object_kind::none)
    end_gone(pipe, memory::is_second_side(other));
  TROUPE_CRASH_POINT("pipe.open.told");
  way.set_ready();
  return *as_box(box.data());
}

} // namespace

pipe_end::boxes pipe_end::boxes_in(std::span<const std::byte, payload> copied,
                                   bool second) noexcept {
  const auto read = [&copied](std::size_t way) {
    object_id box = 0;
    // Who waits at a mailbox has named it.
    std::memcpy(&box, copied.data() + way + offsetof(late_object, named),
                sizeof box);
    return box;
  };
  const auto to_first = read(offsetof(pipe_object, to_first));
  const auto to_second = read(offsetof(pipe_object, to_second));
  return second ? boxes{to_second, to_first} : boxes{to_first, to_second};
}

std::uint32_t pipe_end::layout() noexcept {
  static_assert(sizeof(pipe_object) == payload);
  return memory::layout_of(
    {sizeof(pipe_object), offsetof(pipe_object, to_first),
     offsetof(pipe_object, to_second), offsetof(late_object, named)});
}

pipe_end::pipe_end(reference object) noexcept : object_(std::move(object)) {
}

bool pipe_end::can_receive() const noexcept {
  return object_
         && (!memory::is_second_side(object_.id())
             || object_.as<const pipe_object>()->both_ways != 0);
}

bool pipe_end::can_send() const noexcept {
  return object_
         && (memory::is_second_side(object_.id())
             || object_.as<const pipe_object>()->both_ways != 0);
}

std::pair<pipe_end, pipe_end> pipe_end::make(std::uint64_t fingerprint,
                                             bool both_ways,
                                             std::uint64_t most_unread) {
  static_cast<void>(registered);
  auto [first, second] = reference::create_two_sided(object_kind::connection,
                                                     sizeof(pipe_object));
  auto& made = *first.as<pipe_object>();
  made.fingerprint = fingerprint;
  made.window = most_unread;
  made.both_ways = both_ways ? 1 : 0;
  return {pipe_end{std::move(first)}, pipe_end{std::move(second)}};
}

message_queue& pipe_end::open_in() const {
  if (can_receive()) {
    auto& box = open(object_, object_.as<pipe_object>()->in_of(
                                memory::is_second_side(object_.id())));
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
    auto& box = open(object_, object_.as<pipe_object>()->out_of(
                                memory::is_second_side(object_.id())));
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
  if (object.size() < sizeof(pipe_object)
      || object.as<const pipe_object>()->fingerprint != fingerprint)
    from.refuse(type, "it is a handle of a connection of another type");
  return pipe_end{std::move(object)};
}

} // namespace troupe::channel
