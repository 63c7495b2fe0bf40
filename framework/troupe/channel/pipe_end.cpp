// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/pipe_end.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/items.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/os/crash_point.hpp>

#include <atomic>
#include <cstring>
#include <string>

namespace troupe::channel {

namespace {

using mailbox::letter_box;
using memory::object_id;
using memory::object_kind;
using memory::reference;

/// The payload of an end.
///
///     0    fingerprint   of the connection's type
///     8    in            id of the mailbox to receive from, or 0
///     16   out           id of the mailbox to send to, or 0
///     24   owner         of the mailboxes: which of the two ends this is
///
/// Never changes before the end's last holder is gone.
struct end_object {
  std::uint64_t fingerprint;
  std::atomic<object_id> in;
  std::atomic<object_id> out;
  memory::owner owner;
};

static_assert(sizeof(end_object) == 32);

/// The mailbox of an id whose owner the end is.
letter_box* box_at(object_id where) noexcept {
  if (where == 0)
    return nullptr;
  auto* object = memory::run_memory::current().find_object(where,
                                                           object_kind::queue);
  return object == nullptr
           ? nullptr
           : reinterpret_cast<letter_box*>(
               memory::run_memory::current().payload_of(object));
}

void dispose(std::byte* payload, std::uint64_t) noexcept {
  auto& end = *reinterpret_cast<end_object*>(payload);
  // The news first: should this be killed in between, it is called again. The
  // readers' end before the writers': who hears that nothing more comes must
  // not be able to send any more.
  if (auto* box = box_at(end.in.load()))
    box->readers_gone();
  if (auto* box = box_at(end.out.load()))
    box->writers_gone();
  TROUPE_CRASH_POINT("pipe.close.told");
  memory::disown(end.out, end.owner);
  memory::disown(end.in, end.owner);
}

void holder_died(std::byte* payload, std::uint64_t,
                 std::uint32_t slot) noexcept {
  auto& end = *reinterpret_cast<end_object*>(payload);
  for (auto* box : {box_at(end.in.load()), box_at(end.out.load())})
    if (box != nullptr)
      box->user_died(slot);
}

const bool registered = memory::register_kind(object_kind::connection,
                                              {.dispose = dispose,
                                               .holder_died = holder_died,
                                               .layout = pipe_end::layout()});

reference make_end(std::uint64_t fingerprint, const reference& in,
                   const reference& out, memory::owner which) {
  auto made = reference::create(object_kind::connection, sizeof(end_object));
  auto* end = made.as<end_object>();
  end->fingerprint = fingerprint;
  end->owner = which;
  if (in)
    memory::own(end->in, in, which);
  if (out)
    memory::own(end->out, out, which);
  return made;
}

} // namespace

pipe_end::boxes
pipe_end::boxes_in(std::span<const std::byte, payload> copied) noexcept {
  boxes result{};
  std::memcpy(&result.in, copied.data() + offsetof(end_object, in),
              sizeof result.in);
  std::memcpy(&result.out, copied.data() + offsetof(end_object, out),
              sizeof result.out);
  return result;
}

std::uint32_t pipe_end::layout() noexcept {
  static_assert(sizeof(end_object) == payload);
  return memory::layout_of(
    {sizeof(end_object), offsetof(end_object, in), offsetof(end_object, out)});
}

pipe_end::pipe_end(reference object) noexcept : object_(std::move(object)) {
  const auto* end = object_.as<const end_object>();
  in_ = box_at(end->in.load());
  out_ = box_at(end->out.load());
}

std::pair<pipe_end, pipe_end> pipe_end::make(std::uint64_t fingerprint,
                                             bool both_ways,
                                             std::uint64_t most_unread) {
  static_cast<void>(registered);
  const mailbox::box_options options{.fingerprint = fingerprint,
                                     .window = most_unread};
  // From the second to the first, and back.
  const auto forth = letter_box::create(options);
  const auto back = both_ways ? letter_box::create(options) : reference{};
  auto first = make_end(fingerprint, forth, back, memory::owner::first);
  auto second = make_end(fingerprint, back, forth, memory::owner::second);
  return {pipe_end{std::move(first)}, pipe_end{std::move(second)}};
}

letter_box& pipe_end::in() const {
  if (in_ != nullptr)
    return *in_;
  throw invalid_state(
    "receive from a pipe",
    object_ ? "this is its sending end"
            : "this handle is closed, or has never had a pipe",
    object_
      ? "the first of pipe(one_way) receives"
      : "close a connection after its last use; pipe<T>() makes the ends");
}

letter_box& pipe_end::out() const {
  if (out_ != nullptr)
    return *out_;
  throw invalid_state(
    "send into a pipe",
    object_ ? "this is its receiving end"
            : "this handle is closed, or has never had a pipe",
    object_
      ? "the second of pipe(one_way) sends"
      : "close a connection after its last use; pipe<T>() makes the ends");
}

void pipe_end::close() noexcept {
  in_ = nullptr;
  out_ = nullptr;
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
void take_bytes(letter_box& box, std::size_t longest, Use use) {
  std::size_t too_long = 0;
  const auto outcome = box.take(
    [&](const mailbox::letter& shown) {
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
