// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/type_table.hpp>

#include <caf/type_id.hpp>

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

/// Containers of numbers and strings in messages of actors.
///
/// CAF wants a number for each type of a message, containers too. A source that
/// includes this header may send those that stand below, without a block of its
/// own and without naming them in `use_messages`. Others, and those of your own
/// types, stand in a block of yours:
///
///     CAF_BEGIN_TYPE_ID_BLOCK(shop, caf::first_custom_type_id)
///       CAF_ADD_TYPE_ID(shop, (std::vector<purchase>) )
///     CAF_END_TYPE_ID_BLOCK(shop)
///
/// The numbers from 2000 to 2099 are taken by it. A type that stands here may
/// not stand in a block of yours in the same program.
CAF_BEGIN_TYPE_ID_BLOCK(troupe_standard_containers, 2000)
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<bool>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<std::int8_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<std::int16_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<std::int64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<std::uint8_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<std::uint16_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<std::uint32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<std::uint64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<float>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<double>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::vector<std::string>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::vector<std::vector<std::int32_t>>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::vector<std::vector<std::int64_t>>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::vector<std::vector<double>>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::vector<std::vector<std::string>>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::vector<std::pair<std::string, std::int32_t>>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::vector<std::pair<std::string, std::int64_t>>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::vector<std::pair<std::string, double>>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::vector<std::pair<std::string, std::string>>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::deque<std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::deque<std::string>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::list<std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::list<std::string>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::set<std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::set<std::int64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::unordered_set<std::string>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::unordered_set<std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::unordered_set<std::int64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::map<std::string, std::string>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::map<std::string, std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::map<std::string, std::int64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::map<std::string, std::uint64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::map<std::string, double>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::map<std::string, std::vector<std::string>>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::map<std::string, std::vector<double>>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::map<std::int32_t, std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::map<std::int64_t, std::int64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::map<std::int32_t, std::string>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::map<std::int64_t, std::string>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::unordered_map<std::string, std::string>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::unordered_map<std::string, std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::unordered_map<std::string, std::int64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::unordered_map<std::string, double>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::pair<std::string, std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::pair<std::string, std::int64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::pair<std::string, double>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::pair<std::string, std::string>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::pair<std::int32_t, std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers,
                  (std::pair<std::int64_t, std::int64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::pair<double, double>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::optional<std::int32_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::optional<std::int64_t>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::optional<double>) )
  CAF_ADD_TYPE_ID(troupe_standard_containers, (std::optional<std::string>) )
CAF_END_TYPE_ID_BLOCK(troupe_standard_containers)

namespace troupe::transport {

/// In every process of the program: it is done before `main`.
inline const bool standard_containers_are_known = [] {
  use_messages<caf::id_block::troupe_standard_containers>();
  return true;
}();

} // namespace troupe::transport
