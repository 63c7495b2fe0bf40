// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/bundle.hpp>

#include <troupe/transport/byte_reader.hpp>
#include <troupe/transport/byte_writer.hpp>

namespace troupe {

std::vector<memory::object_id> bundle::shown_handles() const {
  std::vector<memory::object_id> result;
  result.reserve(objects_.size());
  for (const auto& each : objects_)
    result.push_back(each.id());
  return result;
}

void bundle::save(codec::encoder& to) const {
  to.save(bytes_);
  to.handles(objects_);
}

bundle bundle::load(codec::decoder& from) {
  bundle result;
  result.bytes_ = from.load<std::string>();
  result.objects_ = from.handles();
  return result;
}

bool bundle::write_objects(caf::serializer& to) const {
  auto* ours = dynamic_cast<transport::byte_writer*>(&to);
  if (ours == nullptr && !objects_.empty()) {
    to.emplace_error(caf::sec::unsupported_operation,
                     "handles do not leave the run");
    return false;
  }
  if (!to.begin_sequence(objects_.size()))
    return false;
  for (const auto& each : objects_)
    if (!ours->handle(each))
      return false;
  return to.end_sequence();
}

bool bundle::read_objects(caf::deserializer& from) {
  auto* ours = dynamic_cast<transport::byte_reader*>(&from);
  std::size_t count = 0;
  if (!from.begin_sequence(count))
    return false;
  if (ours == nullptr && count != 0) {
    from.emplace_error(caf::sec::unsupported_operation,
                       "handles do not leave the run");
    return false;
  }
  objects_.clear();
  for (; count != 0; --count)
    if (!ours->handle(objects_.emplace_back()))
      return false;
  return from.end_sequence();
}

} // namespace troupe
