// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/frame.hpp>
#include <troupe/transport/message_bytes.hpp>
#include <troupe/transport/node_name.hpp>

#include <caf/error.hpp>
#include <caf/message.hpp>

#include <vector>

namespace troupe::transport {

class incoming_channel;
class node;

/// Does what one frame says: gives a message to its actor, a death to those
/// who wait for it.
class delivery {
public:
  delivery(node& of, incoming_channel& from,
           version::execution_context& context) noexcept
    : node_(of), from_(from), context_(context) {
  }

  /// Returns false if the frame is malformed. A message whose content cannot
  /// be read, or that finds no actor, is not: that is answered and counted.
  [[nodiscard]] bool operator()(frame_tag tag, bytes_view body) const;

private:
  /// What a message says, as far as it can be read.
  struct message_content {
    read_result result = read_result::malformed;
    caf::message content;
    version::stages stages;
    /// The type that is not known, for `read_result::unknown_type`.
    caf::type_id_t type = 0;
    caf::error refusal;
    /// The actors of which it has handles.
    std::vector<actor_name> handles;
  };

  [[nodiscard]] bool message(frame_tag tag, bytes_view body) const;
  [[nodiscard]] message_content read_content(frame_tag tag,
                                             bytes_view body) const;
  [[nodiscard]] static caf::error refusal_of(const message_content& content);
  void deliver(const message_head& head, const caf::strong_actor_ptr& target,
               caf::strong_actor_ptr sender, version::stages stages,
               caf::message content) const;
  [[nodiscard]] bool watch(bytes_view body) const;
  [[nodiscard]] bool down(bytes_view body) const;
  [[nodiscard]] bool link(bytes_view body, bool together) const;
  [[nodiscard]] bool passed_on(frame_kind kind, bytes_view body) const;
  [[nodiscard]] bool settle(frame_kind kind, bytes_view body) const;
  void note_request(const message_head& head,
                    const caf::strong_actor_ptr& sender) const;
  [[nodiscard]] bool taken(bytes_view body) const;
  [[nodiscard]] bool watched(bytes_view body) const;
  [[nodiscard]] bool dropped(bytes_view body) const;
  [[nodiscard]] bool kept(bytes_view body) const;
  [[nodiscard]] bool unnamed(bytes_view body) const;
  [[nodiscard]] caf::strong_actor_ptr sender_of(const message_head& head) const;
  void unread(const message_head& head, const caf::strong_actor_ptr& sender,
              const caf::error& why) const;

  node& node_;
  incoming_channel& from_;
  version::execution_context& context_;
};

} // namespace troupe::transport
