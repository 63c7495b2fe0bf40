// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/frame_reader.hpp>

#include <troupe/base/error.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace troupe::network {

namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw malformed_bytes("read a frame", why);
}

} // namespace

void frame_reader::read(bytes_view next) {
  while (!next.empty() || (in_frame_ && left_ == 0)) {
    if (!in_frame_) {
      read_header(next);
      continue;
    }
    if (const auto place = place_in_piece(); !place.empty()) {
      const auto size = std::min(place.size(), next.size());
      std::memcpy(place.data(), next.data(), size);
      next = next.subspan(size);
      written(size);
      continue;
    }
    const auto size = std::min(left_, next.size());
    if (partial_.empty() && size == left_) {
      take(next.first(size));
      next = next.subspan(size);
      next_frame();
      continue;
    }
    partial_.insert(partial_.end(), next.begin(),
                    next.begin() + static_cast<std::ptrdiff_t>(size));
    next = next.subspan(size);
    left_ -= size;
    if (left_ == 0) {
      take(partial_);
      next_frame();
    }
  }
}

void frame_reader::read_header(bytes_view& next) {
  const auto size = std::min(frame_header_size - partial_.size(), next.size());
  if (partial_.empty() && size == frame_header_size) {
    head_ = read_frame_header(next.first<frame_header_size>(), number_);
    next = next.subspan(size);
  } else {
    partial_.insert(partial_.end(), next.begin(),
                    next.begin() + static_cast<std::ptrdiff_t>(size));
    next = next.subspan(size);
    if (partial_.size() < frame_header_size)
      return;
    head_ = read_frame_header(bytes_view{partial_}.first<frame_header_size>(),
                              number_);
    partial_.clear();
  }
  ++number_;
  in_frame_ = true;
  left_ = head_.size;
  if (needs_credit(head_.kind))
    credited_ += frame_header_size + head_.size;
  if (head_.kind != frame_kind::piece)
    return;
  const auto found = begun_.find(head_.tag);
  if (found == begun_.end())
    refuse("it has sent a piece of a message that it has not begun");
  auto& of = found->second;
  if (of.content.size() - of.filled < head_.size)
    refuse("it has sent more of a message than it has announced");
  piece_of_ = &of;
}

bytes_span frame_reader::place_in_piece() noexcept {
  if (piece_of_ == nullptr)
    return {};
  return {piece_of_->content.data() + piece_of_->filled, left_};
}

void frame_reader::written(std::size_t size) {
  auto& of = *piece_of_;
  of.filled += size;
  left_ -= size;
  if (left_ > 0)
    return;
  const auto tag = head_.tag;
  const bool is_last = of.filled == of.content.size();
  next_frame();
  if (!is_last)
    return;
  auto content = std::move(of.content);
  begun_bytes_ -= content.size();
  begun_.erase(tag);
  to_.whole(tag, std::move(content));
}

std::size_t frame_reader::partial() const noexcept {
  std::size_t longest = 0;
  std::size_t of_longest = 0;
  std::size_t all = 0;
  for (const auto& [tag, each] : begun_) {
    all += each.filled;
    if (each.content.size() > longest) {
      longest = each.content.size();
      of_longest = each.filled;
    }
  }
  return all - of_longest;
}

void frame_reader::next_frame() noexcept {
  in_frame_ = false;
  piece_of_ = nullptr;
  partial_.clear();
}

void frame_reader::take(bytes_view content) {
  switch (head_.kind) {
    case frame_kind::message: return to_.small(head_.tag, content);
    case frame_kind::begin: return begin(content);
    default: return to_.control(head_, content);
  }
}

void frame_reader::begin(bytes_view content) {
  const auto size = read_number(content);
  if (size <= longest_small || size > longest_content)
    refuse("it has announced a message of " + std::to_string(size) + " bytes");
  std::size_t longest = size;
  for (const auto& [tag, each] : begun_)
    longest = std::max(longest, each.content.size());
  if (begun_.size() >= most_begun
      || begun_bytes_ + size - longest > most_unanswered)
    refuse("it has begun more messages at once than it may");
  if (begun_.contains(head_.tag))
    refuse("it has begun a message twice");
  to_.begins(head_.tag, size);
  begun_.emplace(head_.tag, begun{payload{size}, 0});
  begun_bytes_ += size;
}

} // namespace troupe::network
