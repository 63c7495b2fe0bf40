// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/encoder.hpp>

#include <troupe/base/error.hpp>

#include <string>

namespace troupe::codec {

void encoder::handle(const memory::reference& object) {
  if (!object) {
    write(&no_handle, sizeof no_handle);
    return;
  }
  const auto index = into_->handles_.size();
  if (index >= no_handle)
    refuse("a handle", "the message carries too many");
  const auto number = static_cast<std::uint32_t>(index);
  write(&number, sizeof number);
  into_->add(object);
}

void encoder::handles(std::span<const memory::reference> objects) {
  count(objects.size());
  for (const auto& each : objects) {
    const auto kind = each.kind();
    write(&kind, sizeof kind);
    handle(each);
  }
}

void encoder::refuse(std::string_view type, std::string_view why) const {
  throw invalid_argument("encode " + std::string{type}, why);
}

void encoder::too_deep(std::string_view type) const {
  refuse(type, "it is nested more than " + std::to_string(max_depth)
                 + " levels deep");
}

} // namespace troupe::codec
