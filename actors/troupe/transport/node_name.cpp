// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/node_name.hpp>

#include <troupe/transport/caf_version.hpp>

#include <cstring>

namespace troupe::transport {

namespace {

constexpr char mark[4] = {'t', 'r', 'p', 'e'};

} // namespace

caf::node_id node_of(memory::slot_id process) {
  caf::hashed_node_id::host_id_type host{};
  const auto identity = memory::run_memory::current().header().identity[0];
  std::memcpy(host.data(), mark, 4);
  std::memcpy(host.data() + 4, &identity, 8);
  std::memcpy(host.data() + 12, &process.index, 4);
  std::memcpy(host.data() + 16, &process.generation, 4);
  // CAF takes process number 0 for "no node".
  return caf::make_node_id(process.index + 1, host);
}

std::optional<memory::slot_id> process_of(const caf::node_id& node) noexcept {
  const auto* hashed = version::hashed(node);
  if (hashed == nullptr)
    return std::nullopt;
  const auto& host = hashed->host;
  const auto identity = memory::run_memory::current().header().identity[0];
  if (std::memcmp(host.data(), mark, 4) != 0
      || std::memcmp(host.data() + 4, &identity, 8) != 0)
    return std::nullopt;
  memory::slot_id process;
  std::memcpy(&process.index, host.data() + 12, 4);
  std::memcpy(&process.generation, host.data() + 16, 4);
  if (process.index >= memory::run_memory::current().header().slots
      || hashed->process_id != process.index + 1)
    return std::nullopt;
  return process;
}

} // namespace troupe::transport
