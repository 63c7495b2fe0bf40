// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/send_queue.hpp>

#include <troupe/base/error.hpp>

#include <algorithm>
#include <utility>

namespace troupe::network {

void send_queue::append(bytes& to, frame_kind kind, std::uint64_t tag,
                        bytes_view content) {
  // The number comes when it is taken.
  const auto head = to_bytes(
    frame_header{0, kind, static_cast<std::uint32_t>(content.size()), tag});
  to.insert(to.end(), head.begin(), head.end());
  to.insert(to.end(), content.begin(), content.end());
}

void send_queue::append_small(std::uint64_t tag, bytes_view content) {
  append(small_, frame_kind::message, tag, content);
  small_entered_ += frame_header_size + content.size();
}

void send_queue::control(frame_kind kind, std::uint64_t tag,
                         bytes_view content) {
  const std::scoped_lock guard{mutex_};
  if (!closed_)
    append(control_, kind, tag, content);
}

void send_queue::message(const departure& what) {
  const std::scoped_lock guard{mutex_};
  if (closed_)
    return;
  ++last_ordinal_;
  waiting_ += what.content.size();
  const bool small = what.content.size() <= longest_small;
  if (streams_.empty() && small)
    return append_small(what.tag, what.content);
  if (what.behind_all && small) {
    held_back_.push_back({last_ordinal_, what.tag,
                          bytes(what.content.begin(), what.content.end())});
    return;
  }
  const auto found = by_number_.find(what.stream);
  if (found != by_number_.end())
    return enter(found->second, what);
  if (small)
    return append_small(what.tag, what.content);
  const auto made = streams_.insert(streams_.end(), {what.stream, {}});
  by_number_.emplace(what.stream, made);
  enter(made, what);
}

void send_queue::enter(streams::iterator at, const departure& what) {
  auto& made = at->entries.emplace_back();
  made.tag = what.tag;
  made.ordinal = last_ordinal_;
  made.behind_small = small_entered_;
  made.borrowed = what.borrowed;
  if (what.borrowed) {
    made.content = what.content;
  } else {
    made.owned.assign(what.content.begin(), what.content.end());
    made.content = made.owned;
  }
}

void send_queue::set_credit(std::uint64_t total) {
  const std::scoped_lock guard{mutex_};
  if (total < credit_)
    throw malformed_bytes("read a frame", "it has taken credit back");
  credit_ = total;
}

bool send_queue::has_credit(std::size_t size) const noexcept {
  return used_ + size <= credit_;
}

std::size_t send_queue::size_of_first_small() const noexcept {
  if (small_taken_ == small_.size())
    return 0;
  return frame_header_size + size_of_frame(small_.data() + small_taken_);
}

bool send_queue::may_begin(const entry& what) const noexcept {
  if (small_left_ < what.behind_small)
    return false;
  if (what.content.size() <= longest_small || begun_ == 0)
    return true;
  auto longest = what.content.size();
  for (const auto& each : streams_)
    if (const auto& first = each.entries.front(); first.begun)
      longest = std::max(longest, first.content.size());
  return begun_ < most_begun
         && begun_bytes_ + what.content.size() - longest <= most_unanswered;
}

send_queue::streams::iterator send_queue::next_stream() {
  auto each = at_;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (each == streams_.end() || ++each == streams_.end())
      each = streams_.begin();
    const auto& first = each->entries.front();
    const auto left = first.content.size() - first.sent;
    // A piece comes with what begins its message.
    const auto needed = std::min(left, longest_piece) + 2 * frame_header_size
                        + 8;
    if (has_credit(needed) && (first.begun || may_begin(first)))
      return each;
  }
  return streams_.end();
}

bool send_queue::next(bytes& frames, bytes_view& piece) {
  frames.clear();
  piece = {};
  const std::scoped_lock guard{mutex_};
  if (!control_.empty()) {
    frames.swap(control_);
    control_.clear();
  }
  take_small(frames);
  const auto before_piece = frames.size();
  if (!streams_.empty())
    take_piece(frames, piece);
  // The frames in their order get their numbers.
  for (std::size_t at = 0; at < frames.size();) {
    number_frame(frames.data() + at, number_++);
    if (at >= before_piece && !piece.empty()
        && at + frame_header_size == frames.size())
      break;
    at += frame_header_size + size_of_frame(frames.data() + at);
  }
  return !frames.empty();
}

void send_queue::take_small(bytes& into) {
  std::size_t taken = 0;
  while (const auto size = size_of_first_small()) {
    if (!has_credit(size) || taken + size > small_in_a_row)
      break;
    taken += size;
    used_ += size;
    small_left_ += size;
    waiting_ -= size - frame_header_size;
    small_taken_ += size;
  }
  if (taken == 0)
    return;
  const auto from = small_taken_ - taken;
  if (from == 0 && small_taken_ == small_.size() && into.empty()) {
    // All of it: nothing is copied.
    into.swap(small_);
    small_.clear();
    small_taken_ = 0;
    return;
  }
  into.insert(into.end(), small_.begin() + static_cast<std::ptrdiff_t>(from),
              small_.begin() + static_cast<std::ptrdiff_t>(small_taken_));
  if (small_taken_ == small_.size()) {
    small_.clear();
    small_taken_ = 0;
  } else if (small_taken_ > small_in_a_row
             && small_taken_ * 2 > small_.size()) {
    small_.erase(small_.begin(),
                 small_.begin() + static_cast<std::ptrdiff_t>(small_taken_));
    small_taken_ = 0;
  }
}

void send_queue::take_piece(bytes& into, bytes_view& piece) {
  const auto at = next_stream();
  if (at == streams_.end())
    return;
  at_ = at;
  piece_out_ = true;
  auto& of = at->entries.front();
  if (of.content.size() <= longest_small) {
    // A small one that had to wait for the one before it.
    append(into, frame_kind::message, of.tag, of.content);
    used_ += frame_header_size + of.content.size();
    piece_size_ = of.content.size();
    return;
  }
  if (!of.begun) {
    of.begun = true;
    ++begun_;
    begun_bytes_ += of.content.size();
    append(into, frame_kind::begin, of.tag, to_bytes(of.content.size()));
    used_ += frame_header_size + 8;
  }
  piece_size_ = std::min(of.content.size() - of.sent, longest_piece);
  piece = of.content.subspan(of.sent, piece_size_);
  const auto head = to_bytes(frame_header{
    0, frame_kind::piece, static_cast<std::uint32_t>(piece_size_), of.tag});
  into.insert(into.end(), head.begin(), head.end());
  used_ += frame_header_size + piece_size_;
}

void send_queue::finish_piece() {
  if (!std::exchange(piece_out_, false))
    return;
  auto& of = at_->entries.front();
  of.sent += piece_size_;
  waiting_ -= piece_size_;
  if (of.sent < of.content.size())
    return;
  if (of.begun) {
    --begun_;
    begun_bytes_ -= of.content.size();
  }
  leave(at_);
}

void send_queue::leave(streams::iterator at) {
  at->entries.pop_front();
  if (at->entries.empty()) {
    by_number_.erase(at->number);
    // The one before, so that the next one has its turn.
    at_ = at == streams_.begin() ? streams_.end() : std::prev(at);
    streams_.erase(at);
  }
  release_held_back();
}

void send_queue::release_held_back() {
  auto oldest = last_ordinal_ + 1;
  for (const auto& each : streams_)
    oldest = std::min(oldest, each.entries.front().ordinal);
  while (!held_back_.empty() && held_back_.front().ordinal < oldest) {
    const auto& first = held_back_.front();
    append_small(first.tag, first.content);
    held_back_.pop_front();
  }
}

void send_queue::written() {
  const std::scoped_lock guard{mutex_};
  finish_piece();
}

std::size_t send_queue::waiting() const {
  const std::scoped_lock guard{mutex_};
  return waiting_;
}

bool send_queue::borrows(const std::byte* from) const {
  const std::scoped_lock guard{mutex_};
  for (const auto& each : streams_)
    for (const auto& of : each.entries)
      if (of.borrowed && of.content.data() == from)
        return true;
  return false;
}

void send_queue::clear() noexcept {
  const std::scoped_lock guard{mutex_};
  closed_ = true;
  piece_out_ = false;
  control_.clear();
  small_.clear();
  small_taken_ = 0;
  by_number_.clear();
  streams_.clear();
  at_ = streams_.end();
  held_back_.clear();
  waiting_ = 0;
}

} // namespace troupe::network
