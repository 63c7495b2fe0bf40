// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

namespace troupe::transport {

/// What a frame is. Any other number makes the whole ring malformed.
enum class frame_kind : std::uint8_t {
  none = 0,
  /// A message for an actor: `message_head`, then the message's bytes.
  message,
  /// The sender has a handle of our actor (first) that it got from a third
  /// process, a queue or a name: `actor_pair`. It is told of the actor's end.
  watch,
  /// The sender's actor has ended: `actor_pair`, then the reason's bytes.
  down,
  /// The sender's actor (second) links to ours (first), or no longer does.
  link,
  unlink,
  /// A request of ours, `actor_pair` of actor and message id, goes on to the
  /// process in `third`: see request_trail.hpp.
  redirected,
  /// The first bytes of a frame too large for the ring: `piece_head`, bytes.
  first_piece,
  /// The next bytes of it.
  piece,
  /// The writer goes on in another ring: the `ring_offset` of it.
  moved,
  /// The handles of a message of ours are taken: `actor_pair`, of which the
  /// first is the number that stood behind that message.
  taken,
  /// A `watch` of ours is noted: `actor_pair` of the actor.
  watched,
  /// The sender has no handle of our actor (first) any more: `actor_pair`. It
  /// had got as many as the second says; if the third is 1 it still wants to
  /// hear of the actor's end. Travels behind the data that was sent before.
  dropped,
  /// The sender has put a handle of our actor (first) where nobody counts:
  /// `actor_pair`. From now on the actor ends by itself or with its process.
  kept,
  /// A name of our actor (first) was taken away: `actor_pair`.
  unnamed,
  /// A request of ours, as in `redirected`, has come to the writer from the
  /// process in `third`.
  arrived,
  /// The process in `first` of an `actor_pair` is dead: say `settled` when
  /// everything that it had sent to the reader is read.
  settle,
  settled,
  last = settled,
};

/// Whether frames of that kind carry messages.
[[nodiscard]] constexpr bool is_data(frame_kind kind) noexcept {
  return kind == frame_kind::message || kind == frame_kind::first_piece
         || kind == frame_kind::piece || kind == frame_kind::moved;
}

/// Flags of a message frame.
enum : std::uint8_t {
  /// Actors to visit (0.18's stages) stand before the message's bytes.
  with_stages = 1,
  /// The elements are images of trivially copyable types.
  as_image = 2,
  /// Handles of objects or of actors are among the message's bytes. The number
  /// under which the sender holds them, 8 bytes, stands behind them.
  with_handles = 4,
};

/// The `tag` of a frame in the ring.
///
///     bits 0-7    kind
///     bits 8-15   flags
///     bits 16-31  zero; the ring's filler has them set
struct frame_tag {
  frame_kind kind = frame_kind::none;
  std::uint8_t flags = 0;

  [[nodiscard]] constexpr std::uint32_t packed() const noexcept {
    return static_cast<std::uint32_t>(kind) | (std::uint32_t{flags} << 8);
  }

  /// Returns nothing where the number is no tag of ours.
  [[nodiscard]] static constexpr std::optional<frame_tag>
  unpacked(std::uint32_t value) noexcept {
    const auto kind = static_cast<std::uint8_t>(value);
    if (kind == 0 || kind > static_cast<std::uint8_t>(frame_kind::last)
        || (value >> 16) != 0)
      return std::nullopt;
    return frame_tag{static_cast<frame_kind>(kind),
                     static_cast<std::uint8_t>(value >> 8)};
  }
};

/// The head of a message frame.
///
///     0    target        actor of the reader
///     8    sender        actor that waits for the answer, 0 for none
///     16   id            CAF's message id
///     24   sender_slot   packed slot_id of the sender's process
///     32   message bytes
struct message_head {
  std::uint64_t target;
  std::uint64_t sender;
  std::uint64_t id;
  std::uint64_t sender_slot;
};

/// Two actors, and what the kind makes of a third number.
///
///     0    first
///     8    second
///     16   third
struct actor_pair {
  std::uint64_t first;
  std::uint64_t second;
  std::uint64_t third;
};

/// The head of the first piece of a large frame.
///
///     0    size   bytes of the whole body
///     8    tag    packed tag of the whole frame
///     12   (zero)
struct piece_head {
  std::uint64_t size;
  std::uint32_t tag;
  std::uint32_t zero;
};

static_assert(sizeof(message_head) == 32);
static_assert(sizeof(actor_pair) == 24);
static_assert(sizeof(piece_head) == 16);

/// Larger bodies are refused on both sides.
inline constexpr std::uint64_t largest_body = std::uint64_t{1} << 32;

/// Takes a `Head` off the front of a frame's body; nothing if it is too short.
template <class Head>
[[nodiscard]] std::optional<Head> take_head(bytes_view& body) noexcept {
  if (body.size() < sizeof(Head))
    return std::nullopt;
  Head head;
  std::memcpy(&head, body.data(), sizeof(Head));
  body = body.subspan(sizeof(Head));
  return head;
}

} // namespace troupe::transport
