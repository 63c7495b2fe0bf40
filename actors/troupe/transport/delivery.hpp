// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/frame.hpp>

namespace troupe::transport {

class flow;
class node;

/// Does what one frame says: gives a message to its actor, a death to those
/// who wait for it.
class delivery {
public:
  delivery(node& of, flow& from, version::execution_context& context) noexcept
    : node_(of), flow_(from), context_(context) {
  }

  /// Returns false if the frame is malformed. A message whose content cannot
  /// be read, or that finds no actor, is not: that is answered and counted.
  [[nodiscard]] bool operator()(frame_tag tag, bytes_view body) const;

private:
  [[nodiscard]] bool message(frame_tag tag, bytes_view body) const;
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
  flow& flow_;
  version::execution_context& context_;
};

} // namespace troupe::transport
