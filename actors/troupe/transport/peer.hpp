// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/reference.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/frame.hpp>
#include <troupe/transport/outgoing_channel.hpp>

#include <caf/error.hpp>
#include <caf/mailbox_element.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace troupe::transport {

class byte_writer;
class node;

/// Another process of the run, as the actors of this one see it: what its
/// proxies send through. All functions may be called from any thread.
///
/// A sender's thread serialises straight into the ring. Where the ring is full
/// a thread that may wait does so above `high_water`; the hub's thread never
/// waits, so two processes that flood each other both go on reading.
class peer {
public:
  /// Bytes that may wait for the ring before a sender is made to wait.
  static constexpr std::size_t high_water = std::size_t{1} << 20;

  peer(node& of, memory::slot_id process);

  [[nodiscard]] memory::slot_id process() const noexcept {
    return process_;
  }

  [[nodiscard]] const caf::node_id& name() const noexcept {
    return name_;
  }

  /// Sends a message to actor `target` of that process. A message that cannot
  /// be sent fails its request and becomes a dead letter; false then.
  /// @blocks on the reader, in other threads than the hub's, while more than
  ///         `high_water` waits; with an urgent message on nobody
  bool send(caf::actor_id target, caf::mailbox_element& what);

  /// Sends a control frame, which waits behind no data. False if it is lost:
  /// the process is dead, or there is no room for a ring to it.
  bool send_control(frame_kind kind, actor_pair what);

  /// Tells that one of our actors, `ended`, has ended.
  void send_down(caf::actor_id ended, const caf::error& reason);

  /// Tells that `local` has linked to actor `target` of that process.
  void send_link(caf::actor_id target, const caf::strong_actor_ptr& local);

  /// Tells that nobody here has a handle any more: behind all messages so far.
  void send_dropped(actor_pair what);

  /// That process has a handle of one of our actors, by a way on which nobody
  /// has counted it. False if the actor has ended.
  bool count_handle(caf::actor_id ours);

  /// That process has given back `handles` of one of our actors. If it
  /// `watches`, it is told of the actor's end all the same.
  void give_back(caf::actor_id ours, std::uint64_t handles, bool watches);

  /// Sends what waits, as far as there is room. For the hub.
  void flush();

  /// True if something waits and there may be room for it. For the hub.
  [[nodiscard]] bool could_flush();

  /// That process holds what our message number `loan` carries itself.
  void take_back(std::uint64_t loan);

  /// The process is dead, or not to be trusted, for `reason`: from now on
  /// everything to it fails with that; a request to one of the actors that had
  /// `ended` before their process did, as to any actor that has ended.
  void fail(caf::error reason, std::map<caf::actor_id, caf::error> ended = {});

  /// Returns whether messages to the failed process carried handles of actors,
  /// which this process holds on.
  [[nodiscard]] bool has_loans() const;

  /// Lets go of these: whoever the failed process may have passed them on to
  /// has told their owners, or never will.
  void end_loans();

  /// The reason of `fail`; before, why the last frame that was lost is.
  [[nodiscard]] caf::error failure() const;

  [[nodiscard]] bool failed() const noexcept {
    return failed_.load(std::memory_order_acquire);
  }

  /// Returns whether our process and that one disagree about a message type.
  [[nodiscard]] bool disputes(caf::type_id_t type) const noexcept;

  /// Waits until nothing waits any more, and all objects that messages carry
  /// are taken, or the limit.
  void drain(deadline limit);

private:
  using lock = std::unique_lock<std::mutex>;

  /// What a message on the way carries handles of. This process holds it until
  /// the reader does, so that a crash of either leaves nothing.
  struct loan {
    std::vector<memory::reference> objects;
    /// Actors of third processes.
    std::vector<caf::strong_actor_ptr> actors;
    /// Actors of this process.
    std::vector<caf::actor_id> own;

    [[nodiscard]] bool empty() const noexcept {
      return objects.empty() && actors.empty() && own.empty();
    }
  };

  /// Whom a message goes to, and whom it is from.
  struct message_origin {
    message_head head{};
    /// The sender is an actor of this process, or of a third one.
    bool ours = false;
    bool third = false;
  };

  /// What is known of a message that stands in a buffer.
  struct written_message {
    std::size_t size = 0;
    frame_tag tag{frame_kind::message, 0};
    loan carried;
  };

  [[nodiscard]] bool may_send(caf::actor_id target, caf::mailbox_element& what);
  [[nodiscard]] message_origin address(caf::actor_id target,
                                       const caf::mailbox_element& what);
  [[nodiscard]] bool write(caf::mailbox_element& what,
                           const message_origin& origin, std::size_t image,
                           std::vector<std::byte>& buffer,
                           written_message& result);
  [[nodiscard]] bool
  publish(caf::mailbox_element& what, const message_origin& origin,
          std::vector<std::byte>& buffer, written_message written);
  [[nodiscard]] std::optional<caf::type_id_t>
  disputed_type(const caf::message& content) const noexcept;
  [[nodiscard]] caf::error failure_for(caf::actor_id target) const;
  [[nodiscard]] loan loan_of(byte_writer& written,
                             const caf::strong_actor_ptr& third) const;
  void end_loan(loan what) const;
  [[nodiscard]] bool count(caf::actor_id ours);
  void tell_end_of(const caf::strong_actor_ptr& ours);
  bool refuse(caf::mailbox_element& what, caf::actor_id target,
              caf::error reason, std::string_view why);
  [[nodiscard]] bool open(lock& held);
  [[nodiscard]] bool idle() const noexcept;
  std::uint64_t lend(loan what);
  bool send_in_place(const message_origin& origin,
                     const caf::mailbox_element& what, std::size_t image);
  bool put(lock& held, frame_tag tag, std::vector<std::byte> body, bool urgent);
  void unlock_and_notify(lock& held);
  void wait_for_room(lock& held, bool first, bool data);
  void set_congested(bool congested) noexcept;

  node& node_;
  memory::slot_id process_;
  caf::node_id name_;
  memory::process_slot& slot_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::optional<outgoing_channel> outgoing_;
  std::unordered_map<std::uint64_t, loan> lent_;
  std::uint64_t last_loan_ = 0;
  /// How many handles of each of our actors that process has got and not given
  /// back; the last one that was counted stands beside.
  std::unordered_map<caf::actor_id, std::uint64_t> sent_;
  caf::actor_id last_sent_ = 0;
  std::uint64_t* last_count_ = nullptr;
  /// Something waits in `outgoing_`.
  // `congested_`: relaxed, changed under the mutex; `could_flush` looks without
  // it, again and again. `failed_`: release behind `failure_` and `ended_`,
  // acquire in `failed`.
  std::atomic<bool> congested_{false};
  std::atomic<bool> failed_{false};
  caf::error failure_;
  /// Set with `failed_`.
  std::map<caf::actor_id, caf::error> ended_;
  /// Set before the first message and not changed after.
  std::vector<caf::type_id_t> disputed_;
};

} // namespace troupe::transport
