// SPDX-License-Identifier: BSL-1.0
#include "frame_input.hpp"

#include <troupe/mailbox/ring.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/transport/bundle.hpp>
#include <troupe/transport/byte_writer.hpp>
#include <troupe/transport/frame.hpp>
#include <troupe/transport/incoming_channel.hpp>
#include <troupe/transport/message_bytes.hpp>
#include <troupe/transport/node.hpp>

#include <caf/all.hpp>

#include <algorithm>
#include <cstring>

namespace fuzz {

namespace {

using namespace troupe;
using namespace troupe::transport;

constexpr std::uint64_t capacity = 1 << 14;

/// A process that was never there: nothing is sent to it.
constexpr memory::slot_id stranger{77, 5};

class silent_context final : public version::own_context {
public:
  explicit silent_context(caf::actor_system& system)
    : version::own_context(system), system_(system) {
  }
  void later(caf::resumable* woken) override {
    version::schedule(system_, woken);
  }

private:
  caf::actor_system& system_;
};

void put(std::vector<std::uint8_t>& into, const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  into.insert(into.end(), bytes, bytes + size);
}

std::vector<std::uint8_t> frame(frame_tag tag, const void* head,
                                std::size_t size,
                                std::span<const std::byte> body = {}) {
  std::vector<std::uint8_t> result;
  result.reserve(1 + sizeof(std::uint32_t) + size + body.size());
  result.push_back(0);
  const auto packed = tag.packed();
  put(result, &packed, sizeof packed);
  put(result, head, size);
  put(result, body.data(), body.size());
  return result;
}

} // namespace

const caf::actor& listener() {
  static const auto actor = [] {
    auto made = actor_system().spawn([](caf::event_based_actor* self) {
      self->set_default_handler(caf::drop);
      // Strangers may link to it, and end.
      self->set_exit_handler([](const caf::exit_msg&) {});
      // And send it an error, at which an actor ends by CAF's rule.
      self->set_error_handler([](const caf::error&) {});
      return caf::behavior{[](std::int32_t x) { return x; },
                           [](const std::string&) {}, [](const caf::error&) {}};
    });
    node::require().export_actor(caf::actor_cast<caf::strong_actor_ptr>(made));
    return made;
  }();
  return actor;
}

std::string feed(std::span<const std::uint8_t> input) {
  if (input.size() < 5)
    return "too short for the fuzzer";
  auto& own = node::require();
  static_cast<void>(listener());
  auto ring = mailbox::make_ring(own.self(), capacity, 0);
  auto* head = ring.as<mailbox::ring_head>();
  if (input[0] % 2 == 0) {
    mailbox::ring_writer writer{ring};
    std::uint32_t tag = 0;
    std::memcpy(&tag, input.data() + 1, sizeof tag);
    const auto body
      = input.subspan(5, std::min(input.size() - 5, writer.largest()));
    auto* room = writer.reserve(body.size());
    if (!body.empty())
      std::memcpy(room, body.data(), body.size());
    writer.publish(body.size(), tag);
  } else {
    std::uint16_t tail = 0;
    std::memcpy(&tail, input.data() + 1, sizeof tail);
    const auto body
      = input.subspan(3, std::min<std::size_t>(input.size() - 3, capacity));
    std::memcpy(head->data(), body.data(), body.size());
    head->tail.store(tail);
  }
  silent_context context{own.system()};
  const version::proxy_scope scope{context, own.proxies()};
  incoming_channel from{own, stranger, own.peer_of(stranger), std::move(ring)};
  while (from.drain(64, context) != 0) {
  }
  return from.broken() ? from.trouble() : std::string{};
}

std::vector<std::vector<std::uint8_t>> right_frames() {
  auto& own = node::require();
  const auto target = listener().id();
  std::vector<std::vector<std::uint8_t>> result;
  const auto message = [&](const caf::message& content, std::uint64_t id) {
    const message_head head{target, 9, id, stranger.packed()};
    std::vector<std::byte> bytes;
    byte_writer sink{&own.system(), bytes, 0};
    static_cast<void>(write_message(sink, content));
    std::uint8_t flags = 0;
    if (!sink.objects().empty()) {
      flags = with_handles;
      sink.append(&target, sizeof target);
    }
    bytes.resize(sink.written());
    result.push_back(
      frame({frame_kind::message, flags}, &head, sizeof head, bytes));
    if (const auto size = image_size(content)) {
      std::vector<std::byte> image(size);
      write_image(content, image.data());
      result.push_back(
        frame({frame_kind::message, as_image}, &head, sizeof head, image));
    }
  };
  message(caf::make_message(std::int32_t{1}),
          caf::message_id{}.integer_value());
  message(caf::make_message(std::string(40, 'x'), 2.5),
          caf::make_message_id(7).integer_value());
  message(caf::make_message(caf::make_error(caf::sec::runtime_error, "why")),
          caf::make_message_id(7).response_id().integer_value());
  message(caf::make_message(listener(), caf::make_message(1, "nested"),
                            std::vector<caf::actor>(3, listener())),
          caf::message_id{}.integer_value());
  message(caf::message{}, caf::message_id{}.integer_value());
  // Of what lives as long as the fuzzer, so that the handle is right.
  static const auto held = memory::reference::create(memory::object_kind::user,
                                                     64);
  message(caf::make_message(bundle{{}, {held}}),
          caf::message_id{}.integer_value());
  const actor_pair pair{target, 9, stranger.packed()};
  for (const auto kind :
       {frame_kind::watch, frame_kind::link, frame_kind::unlink,
        frame_kind::redirected, frame_kind::taken, frame_kind::arrived,
        frame_kind::settle, frame_kind::settled})
    result.push_back(frame({kind, 0}, &pair, sizeof pair));
  std::vector<std::byte> bytes;
  byte_writer sink{&own.system(), bytes, 0};
  // By CAF's rule a linked actor that is killed takes the listener along, which
  // no exit handler hears of.
  auto reason = caf::make_error(caf::exit_reason::user_shutdown);
  static_cast<void>(sink.apply(reason));
  bytes.resize(sink.written());
  result.push_back(frame({frame_kind::down, 0}, &pair, sizeof pair, bytes));
  const piece_head piece{100, frame_tag{frame_kind::message, 0}.packed(), 0};
  result.push_back(
    frame({frame_kind::first_piece, 0}, &piece, sizeof piece, bytes));
  // A ring as it is: one frame of kind 1, and one of the filler.
  std::vector<std::uint8_t> raw;
  raw.reserve(64);
  raw.push_back(1);
  raw.push_back(48);
  raw.push_back(0);
  const std::uint64_t words[]
    = {(std::uint64_t{1} << 32) | 32,     target, 0, 1, 2,
       (std::uint64_t{0xFFFF'FFFF} << 32)};
  put(raw, words, sizeof words);
  result.push_back(raw);
  return result;
}

std::vector<std::vector<std::uint8_t>> misplaced_frames() {
  const actor_pair pair{listener().id(), 9, stranger.packed()};
  return {frame({frame_kind::piece, 0}, &pair, sizeof pair),
          frame({frame_kind::moved, 0}, &pair, 8)};
}

} // namespace fuzz
