// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/network/carrier.hpp>
#include <troupe/network/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <unordered_map>

namespace troupe::network {

/// What one end of a connection has still to send, as frames, and in which
/// order: control frames first, then whole small messages, then the pieces of
/// long ones, one of each stream in turn. Small messages never keep pieces
/// waiting for more than `small_in_a_row` bytes.
///
/// Thread-safe; but only one thread takes frames out.
class send_queue {
public:
  static constexpr std::size_t small_in_a_row = 256U << 10;

  send_queue() = default;
  send_queue(const send_queue&) = delete;
  send_queue& operator=(const send_queue&) = delete;

  void control(frame_kind kind, std::uint64_t tag, bytes_view content);

  /// Nothing after `clear`.
  void message(const departure& what);

  /// The other end lets so many bytes of message frames be sent in all.
  /// Throws `malformed_bytes` for less than before.
  void set_credit(std::uint64_t total);

  /// By the one who sends: frames, and after them the content of a piece, whose
  /// header is the last of the frames. The piece stays where it is until
  /// `written`. Returns false where nothing may be sent now.
  [[nodiscard]] bool next(bytes& frames, bytes_view& piece);

  /// By the same: the piece that it was given is not needed any more.
  void written();

  /// Bytes of messages that wait.
  [[nodiscard]] std::size_t waiting() const;

  [[nodiscard]] bool borrows(const std::byte* from) const;

  /// Drops everything, now and later. Not while the one who sends uses what it
  /// was given.
  void clear() noexcept;

private:
  struct entry {
    std::uint64_t tag = 0;
    std::uint64_t ordinal = 0;
    /// What `small_entered_` was: all that goes before it.
    std::uint64_t behind_small = 0;
    bytes owned;
    bytes_view content;
    bool borrowed = false;
    bool begun = false;
    std::size_t sent = 0;
  };

  struct stream {
    std::uint64_t number = 0;
    std::deque<entry> entries;
  };

  struct held_back {
    std::uint64_t ordinal = 0;
    std::uint64_t tag = 0;
    bytes content;
  };

  using streams = std::list<stream>;

  // With the mutex held:
  static void append(bytes& to, frame_kind kind, std::uint64_t tag,
                     bytes_view content);
  void append_small(std::uint64_t tag, bytes_view content);
  void enter(streams::iterator at, const departure& what);
  /// Ends the piece that was given out last.
  void finish_piece();
  void leave(streams::iterator at);
  void release_held_back();
  [[nodiscard]] bool has_credit(std::size_t size) const noexcept;
  void take_small(bytes& into);
  void take_piece(bytes& into, bytes_view& piece);
  [[nodiscard]] bool may_begin(const entry& what) const noexcept;
  [[nodiscard]] streams::iterator next_stream();
  [[nodiscard]] std::size_t size_of_first_small() const noexcept;

  mutable std::mutex mutex_;
  bool closed_ = false;
  bytes control_;
  /// Frames; those before `small_taken_` have been given out.
  bytes small_;
  std::size_t small_taken_ = 0;
  std::uint64_t small_entered_ = 0;
  std::uint64_t small_left_ = 0;
  streams streams_;
  std::unordered_map<std::uint64_t, streams::iterator> by_number_;
  std::deque<held_back> held_back_;
  /// The stream whose piece was given out last.
  streams::iterator at_ = streams_.end();
  bool piece_out_ = false;
  std::size_t piece_size_ = 0;
  std::uint64_t last_ordinal_ = 0;
  std::size_t begun_ = 0;
  std::size_t begun_bytes_ = 0;
  std::size_t waiting_ = 0;
  std::uint32_t number_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t credit_ = credit_window;
};

} // namespace troupe::network
