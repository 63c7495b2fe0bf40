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

namespace {

/// The process with this host id and this number, if there can be one.
std::optional<memory::slot_id> process_named(const void* host,
                                             std::uint32_t number) noexcept {
  const auto* at = static_cast<const std::byte*>(host);
  const auto& header = memory::run_memory::current().header();
  if (std::memcmp(at, mark, 4) != 0
      || std::memcmp(at + 4, &header.identity[0], 8) != 0)
    return std::nullopt;
  memory::slot_id process;
  std::memcpy(&process.index, at + 12, 4);
  std::memcpy(&process.generation, at + 16, 4);
  if (process.index >= header.slots || number != process.index + 1)
    return std::nullopt;
  return process;
}

} // namespace

std::optional<memory::slot_id> process_of(const caf::node_id& node) noexcept {
  const auto* hashed = version::hashed(node);
  if (hashed == nullptr)
    return std::nullopt;
  return process_named(hashed->host.data(), hashed->process_id);
}

std::optional<actor_name> name_in_handle(bytes_view written) noexcept {
  // id, then the node: its variant's index, its process number, its host.
  constexpr std::size_t host = 16;
  constexpr std::size_t host_size = 20;
  actor_name name;
  std::uint32_t number = 0;
  if (written.size() != host + host_size)
    return std::nullopt;
  std::memcpy(&name.actor, written.data(), 8);
  std::memcpy(&number, written.data() + 12, 4);
  const auto process = process_named(written.data() + host, number);
  if (!process || name.actor == 0)
    return std::nullopt;
  name.process = *process;
  return name;
}

} // namespace troupe::transport
