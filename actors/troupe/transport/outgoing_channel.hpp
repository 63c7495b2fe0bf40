// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/mailbox/inbox.hpp>
#include <troupe/mailbox/ring.hpp>
#include <troupe/transport/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace troupe::transport {

/// Frames on their way to one other process: its ring, and what did not fit.
/// Not synchronised; `peer` holds its lock around every call.
///
/// Where nothing waits, a frame goes straight into the ring. Once something
/// waits, data waits behind it, and urgent frames (control, deaths, CAF's
/// urgent messages) wait only behind each other: never behind data. The order
/// of data is kept, and that of urgent frames is.
class outgoing_channel {
public:
  static constexpr std::size_t small_ring = std::size_t{64} << 10;
  static constexpr std::size_t large_ring = std::size_t{4} << 20;

  outgoing_channel(memory::slot_id self, memory::slot_id reader,
                   mailbox::inbox inbox, std::uint64_t types);

  /// Returns where to write a body of at most `size` bytes, to be finished by
  /// `commit`; nullptr if it has to wait. Only where nothing waits.
  [[nodiscard]] std::byte* reserve(std::size_t size);

  /// The same for a body whose size is only guessed: returns room for a little
  /// more, empty if there is none.
  [[nodiscard]] bytes_span reserve_about(std::size_t size);

  /// Publishes what was written to `reserve`'s memory.
  void commit(std::size_t size, frame_tag tag) noexcept;

  /// Appends to what waits; `flush` sends it. Returns whether it waits as data.
  bool wait(bool urgent, frame_tag tag, std::vector<std::byte> body);

  /// Moves what waits into the ring, as far as there is room. Returns whether
  /// anything was published.
  bool flush();

  /// Bytes of data that wait.
  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_bytes_;
  }

  [[nodiscard]] bool idle() const noexcept {
    return urgent_.empty() && data_.empty();
  }

  /// True if a flush may have become possible.
  [[nodiscard]] bool could_flush() const noexcept {
    return !idle() && !ring_.waits_for_room();
  }

  /// To be called after publishing. True if the reader sleeps: notify it.
  [[nodiscard]] bool sleeps(const memory::process_slot& reader) noexcept {
    return inbox_.announce_bytes(self_.index, reader);
  }

  /// Forgets what waits. Returns how many frames of data were lost.
  std::size_t discard() noexcept;

private:
  struct pending {
    frame_tag tag;
    std::vector<std::byte> body;
    /// Bytes of it that went already, as pieces.
    std::size_t gone = 0;
  };

  [[nodiscard]] std::byte* room_for(std::size_t size);
  bool flush_front(std::deque<pending>& queue, bool& published);
  bool flush_piece(pending& front, bool& published);
  void enlarge();

  memory::slot_id self_;
  memory::slot_id reader_;
  mailbox::inbox inbox_;
  std::uint64_t types_;
  mailbox::ring_writer ring_;
  bool large_ = false;
  /// Too large for the small ring was seen while there was no room to say that
  /// the writer moves.
  bool wants_large_ = false;
  std::deque<pending> urgent_;
  std::deque<pending> data_;
  std::size_t waiting_bytes_ = 0;
};

} // namespace troupe::transport
