// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/message_id.hpp>

#include <cstdint>
#include <mutex>
#include <vector>

namespace troupe::transport {

/// The requests of this process's actors that other processes have not
/// answered. CAF leaves a request to a dead process to its time-out; with this
/// table it fails when the death is known.
///
/// Requests whose asker is gone, or that were never answered although their
/// process lives, are thrown out when the table would grow.
class open_requests {
public:
  /// One request and who has to answer it.
  struct entry {
    caf::weak_actor_ptr asker;
    std::uint64_t actor = 0;
    std::uint64_t id = 0;
    /// The id as it was sent, with CAF's flags.
    std::uint64_t sent_id = 0;
    memory::slot_id process;
  };

  open_requests();

  /// The request went to `process`; if it was here before, it moved there.
  void add(const caf::strong_actor_ptr& asker, caf::message_id id,
           memory::slot_id process);

  /// The request was answered, or is not ours to watch any more.
  void remove(caf::actor_id asker, caf::message_id id) noexcept;

  /// The process that answers it is another now. False if it was answered.
  bool move(caf::actor_id asker, std::uint64_t id, memory::slot_id process);

  /// Takes out all requests that `process` has to answer.
  [[nodiscard]] std::vector<entry> take_all(memory::slot_id process);

private:
  [[nodiscard]] std::size_t place_of(std::uint64_t actor,
                                     std::uint64_t id) const noexcept;
  void erase_at(std::size_t place) noexcept;
  void grow();

  std::mutex mutex_;
  /// Open addressing, linear probing; `id` 0 is a free place.
  std::vector<entry> entries_;
  std::size_t used_ = 0;
};

} // namespace troupe::transport
