// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/mailbox/ring.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/frame.hpp>

#include <caf/actor_control_block.hpp>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace troupe::transport {

class node;
class peer;

/// What comes in from one other process: its ring, a large frame that is being
/// put together, and the handles of its actors that were needed so far. The
/// hub's alone.
///
/// Nothing that arrives is believed. A frame that cannot be makes the incoming
/// channel `broken`: the ring is read no further, and the process is treated as
/// dead.
class incoming_channel {
public:
  incoming_channel(node& of, memory::slot_id writer, std::shared_ptr<peer> back,
                   memory::reference ring);

  [[nodiscard]] memory::slot_id writer() const noexcept {
    return writer_;
  }

  [[nodiscard]] const std::shared_ptr<peer>& back() const noexcept {
    return back_;
  }

  /// True if there is something to take.
  [[nodiscard]] bool ready() const noexcept {
    return !broken_ && ring_.ready();
  }

  /// Takes up to `most` frames and delivers them. Returns how many.
  std::size_t drain(std::size_t most, version::execution_context& context);

  [[nodiscard]] bool broken() const noexcept {
    return broken_;
  }

  /// Says why.
  [[nodiscard]] const std::string& trouble() const noexcept {
    return trouble_;
  }

  /// Returns the handle of one of the writer's actors, which has come in a
  /// frame just now: the writer has counted it.
  [[nodiscard]] const caf::strong_actor_ptr& sender(caf::actor_id id);

  /// Returns the handle of an actor of this process, or an empty one. The one
  /// asked for last is remembered: most messages go where the last one went.
  [[nodiscard]] const caf::strong_actor_ptr& target(caf::actor_id id);

  void forget_target() noexcept {
    target_ = 0;
    target_actor_ = nullptr;
  }

  void forget_actor(caf::actor_id id);

  /// Lets go of handles that were not needed since the last call. Returns
  /// whether there are others.
  bool sweep();

private:
  /// A handle that is kept for the next message.
  struct known_sender {
    caf::strong_actor_ptr actor;
    /// How often it has come since its proxy was told.
    std::uint64_t times = 0;
    bool used = true;
  };

  static void let_go(known_sender& of);

  bool take(frame_tag tag, bytes_view body,
            version::execution_context& context);
  bool take_first_piece(bytes_view body);
  bool take_piece(bytes_view body, version::execution_context& context);
  bool take_moved(bytes_view body);
  bool refuse(std::string why);
  void release() noexcept;

  node& node_;
  memory::slot_id writer_;
  std::shared_ptr<peer> back_;
  mailbox::ring_reader ring_;
  bool broken_ = false;
  std::string trouble_;

  std::unordered_map<caf::actor_id, known_sender> senders_;
  /// The one asked for last; nullptr for none.
  known_sender* last_ = nullptr;
  caf::actor_id last_id_ = 0;

  caf::actor_id target_ = 0;
  caf::strong_actor_ptr target_actor_;
  bool target_used_ = false;

  std::vector<std::byte> whole_;
  std::uint64_t whole_size_ = 0;
  frame_tag whole_tag_;
};

} // namespace troupe::transport
