// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/decoder.hpp>

#include <troupe/base/error.hpp>

#include <string>

namespace troupe::codec {

memory::reference decoder::handle(memory::object_kind kind) {
  std::uint32_t index = 0;
  std::memcpy(&index, take(sizeof index, "a handle"), sizeof index);
  if (index == no_handle)
    return {};
  // Handles are numbered in the order in which they were written, which is the
  // order of reading. So each can be taken only once.
  if (index != taken_ || index >= handles_.size())
    refuse("a handle", "number " + std::to_string(index) + " stands where "
                         + std::to_string(taken_) + " of "
                         + std::to_string(handles_.size()) + " is due");
  return take_handle(kind);
}

memory::reference decoder::take_handle(memory::object_kind kind) {
  return memory::reference::attach(handles_[taken_++], kind);
}

std::vector<memory::reference> decoder::handles() {
  auto kind = memory::object_kind::none;
  auto left = count(sizeof kind + sizeof no_handle, "handles");
  std::vector<memory::reference> result;
  for (; left != 0; --left) {
    std::memcpy(&kind, take(sizeof kind, "a handle"), sizeof kind);
    result.push_back(handle(kind));
    if (!result.back())
      refuse("a handle", "it is empty");
  }
  return result;
}

std::vector<memory::reference> decoder::handles_left() {
  std::vector<memory::reference> result;
  result.reserve(handles_.size() - taken_);
  while (taken_ != handles_.size())
    result.push_back(take_handle(memory::kind_of(handles_[taken_])));
  return result;
}

void decoder::left_over() const {
  if (left() != 0)
    refuse("the end", std::to_string(left()) + " bytes are left over");
  refuse("the end",
         std::to_string(handles_.size() - taken_) + " handles are left over");
}

void decoder::refuse(std::string_view type, std::string_view why) const {
  std::string attempted = "decode ";
  attempted += what_;
  std::string reason = "at byte " + std::to_string(at_) + " of "
                       + std::to_string(body_.size()) + ", ";
  reason += type;
  reason += ": ";
  reason += why;
  throw malformed_bytes(attempted, reason);
}

void decoder::too_short(std::size_t size, std::string_view type) const {
  refuse(type, "it needs " + std::to_string(size) + " bytes, "
                 + std::to_string(left()) + " are left");
}

void decoder::too_many(std::uint64_t number, std::size_t least,
                       std::string_view type) const {
  refuse(type, std::to_string(number) + " elements of " + std::to_string(least)
                 + " bytes or more, " + std::to_string(left())
                 + " bytes are left");
}

void decoder::too_deep(std::string_view type) const {
  refuse(type, "it is nested more than " + std::to_string(max_depth)
                 + " levels deep");
}

} // namespace troupe::codec
