// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>
#include <troupe/transport/node_name.hpp>
#include <troupe/transport/request_trail.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>
#include <caf/message_id.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace troupe::transport {

/// The requests of this process's actors that other processes have not
/// answered. CAF leaves a request to a dead process to its time-out; with this
/// table it fails when the death is known, and that of nobody else: see
/// `request_trail` for those that are passed on.
///
/// Requests whose asker is gone are thrown out when the table would grow.
class open_requests {
public:
  /// A request that nobody answers any more.
  struct lost {
    caf::weak_actor_ptr asker;
    /// The id as it was sent, with CAF's flags.
    std::uint64_t sent_id = 0;
    caf::error reason;
  };

  /// What a death leads to.
  struct outcome {
    std::vector<lost> requests;
    /// Who has to say whether something of the dead process has arrived, each
    /// once.
    std::vector<memory::slot_id> to_ask;
  };

  /// `home` is the calling process.
  explicit open_requests(memory::slot_id home);

  /// The request went to actor `to`; if it was here before, from here to there.
  void add(const caf::strong_actor_ptr& asker, caf::message_id id,
           actor_name to);

  /// The request was answered, or could not be sent.
  void remove(caf::actor_id asker, caf::message_id id) noexcept;

  /// What `request_trail` says of these. Returns the request where it is lost
  /// by that; nothing for one that is open no more.
  [[nodiscard]] std::optional<std::vector<lost>>
  announced(caf::actor_id asker, std::uint64_t id, memory::slot_id from,
            memory::slot_id to);
  [[nodiscard]] std::optional<std::vector<lost>>
  arrived(caf::actor_id asker, std::uint64_t id, memory::slot_id from,
          memory::slot_id to);
  [[nodiscard]] std::vector<lost> settled(memory::slot_id dead,
                                          memory::slot_id at);
  void came_home(caf::actor_id asker, caf::message_id id, memory::slot_id from);

  /// Takes out all requests that are lost with `process`, for `reason`. Those
  /// to actors that had `ended` before their process did fail as requests to
  /// any actor that has ended.
  [[nodiscard]] outcome
  take_all(memory::slot_id process, const caf::error& reason,
           const std::map<caf::actor_id, caf::error>& ended = {});

  /// How many are open.
  [[nodiscard]] std::size_t size() const;

private:
  /// One request and who has to answer it.
  struct entry {
    caf::weak_actor_ptr asker;
    std::uint64_t actor = 0;
    std::uint64_t id = 0;
    std::uint64_t sent_id = 0;
    actor_name to;
    /// Where it is, if it is not simply there.
    std::unique_ptr<request_trail> trail;

    [[nodiscard]] request_trail& passed_on();
  };

  [[nodiscard]] std::size_t place_of(std::uint64_t actor,
                                     std::uint64_t id) const noexcept;
  [[nodiscard]] entry* find(std::uint64_t actor, std::uint64_t id) noexcept;
  [[nodiscard]] std::vector<lost> take_if_lost(entry& which);
  void erase_at(std::size_t place) noexcept;
  void grow();
  /// Takes out those for which `step` returns true.
  template <class Step>
  void erase_if(Step step);

  memory::slot_id home_;
  mutable std::mutex mutex_;
  /// Open addressing, linear probing; `id` 0 is a free place.
  std::vector<entry> entries_;
  std::size_t used_ = 0;
};

} // namespace troupe::transport
