// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/task_letter.hpp>

#include <troupe/memory/burial.hpp>

namespace troupe::pooling {

std::vector<memory::reference> objects_of(const codec::packet& letter) {
  std::vector<memory::reference> result;
  for (const auto where : letter.handles())
    result.push_back(memory::reference::attach(
      where, static_cast<memory::object_kind>(memory::head_at(where)->kind)));
  return result;
}

std::vector<memory::offset>
shares_of(const std::vector<memory::reference>& objects) {
  std::vector<memory::offset> result;
  for (const auto& each : objects)
    result.push_back(memory::send(each));
  return result;
}

} // namespace troupe::pooling
