// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/byte_writer.hpp>

#include <troupe/base/bytes.hpp>
#include <troupe/mailbox/copy_into_ring.hpp>
#include <troupe/transport/caf_error.hpp>

#include <algorithm>

namespace troupe::transport {

bool byte_writer::begin_special(caf::type_id_t type) {
  if (version::is_group(type)) {
    set_error(make_error(errc::invalid_argument,
                         "send a caf::group to another process: groups stay in "
                         "their process; send to the actors, or to one actor "
                         "of each process that has joined a group there"));
    return false;
  }
  if (handle_depth_ == no_depth) {
    handle_depth_ = depth_;
    handle_at_ = written();
  }
  return true;
}

void byte_writer::end_handle() {
  handle_depth_ = no_depth;
  if (const auto name = name_in_handle({first_ + handle_at_, at_})) {
    actors_.push_back(*name);
    places_.push_back(handle_at_);
  }
}

bool byte_writer::grow(std::size_t more) {
  if (growing_ == nullptr)
    return false;
  const auto used = written();
  growing_->resize(std::max(used + more, growing_->size() * 2));
  first_ = growing_->data();
  at_ = first_ + used;
  last_ = first_ + growing_->size();
  return true;
}

void byte_writer::append_many(const void* from, std::size_t size) noexcept {
  mailbox::copy_into_ring(at_, static_cast<const std::byte*>(from), size);
}

} // namespace troupe::transport
