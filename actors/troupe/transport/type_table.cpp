// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/type_table.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/hash.hpp>
#include <troupe/transport/bundle.hpp>
#include <troupe/transport/caf_error.hpp>

#include <caf/exit_reason.hpp>
#include <caf/pec.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include <charconv>
#include <map>
#include <set>

namespace troupe::transport {

namespace {

/// CAF's own types that may travel as images.
template <class... Ts>
struct list_of {};

using own_images
  = list_of<float, double, std::int8_t, std::int16_t, std::int32_t,
            std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t,
            std::uint64_t, caf::add_atom, caf::close_atom, caf::connect_atom,
            caf::delete_atom, caf::div_atom, caf::flush_atom, caf::get_atom,
            caf::idle_atom, caf::join_atom, caf::leave_atom, caf::mul_atom,
            caf::ok_atom, caf::open_atom, caf::pending_atom, caf::ping_atom,
            caf::pong_atom, caf::publish_atom, caf::put_atom, caf::receive_atom,
            caf::reset_atom, caf::resolve_atom, caf::spawn_atom, caf::sub_atom,
            caf::subscribe_atom, caf::tick_atom, caf::timeout_atom,
            caf::unsubscribe_atom, caf::update_atom, caf::wait_for_atom>;

using own_error_codes = list_of<caf::sec, caf::pec, caf::exit_reason>;

std::map<caf::type_id_t, std::string_view> lines_by_id(std::string_view text) {
  std::map<caf::type_id_t, std::string_view> result;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    caf::type_id_t id = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(),
                                        id);
    if (parsed.ec == std::errc{})
      result[id] = line;
  }
  return result;
}

} // namespace

type_table& type_table::current() {
  // Never destroyed: actors may end after every order of destruction.
  static auto& table = *new type_table;
  return table;
}

void type_table::add_own() {
  if (own_)
    return;
  if (version::meta_of(0) == nullptr)
    caf::core::init_global_meta_objects();
  add_block<caf::id_block::troupe_transport>();
  add_block<caf::id_block::troupe_bundle>();
  [this]<class... Ts>(list_of<Ts...>) {
    (enter(caf::type_id_v<Ts>,
           {true, false, std::is_empty_v<Ts> ? 0U : std::uint32_t{sizeof(Ts)}}),
     ...);
  }(own_images{});
  [this]<class... Ts>(list_of<Ts...>) {
    (enter(caf::type_id_v<Ts>, {false, true, 0}), ...);
  }(own_error_codes{});
  own_ = true;
}

void type_table::close() {
  if (closed_)
    return;
  add_own();
  closed_ = true;
  const auto all = caf::detail::global_meta_objects();
  for (std::size_t id = 0; id < all.size(); ++id) {
    const auto& meta = all[id];
    if (meta.type_name.empty())
      continue;
    names_ += std::to_string(id) + ' ';
    names_.append(meta.type_name.data(), meta.type_name.size());
    names_ += ' ' + std::to_string(meta.padded_size);
    names_ += at(static_cast<caf::type_id_t>(id)).image ? " image\n" : "\n";
  }
  fingerprint_ = hash_of(names_);
}

std::vector<caf::type_id_t>
type_table::differences(std::string_view theirs) const {
  const auto ours = lines_by_id(names_);
  const auto other = lines_by_id(theirs);
  std::set<caf::type_id_t> result;
  for (const auto& [id, line] : ours)
    if (const auto found = other.find(id);
        found == other.end() || found->second != line)
      result.insert(id);
  for (const auto& [id, line] : other)
    if (!ours.contains(id))
      result.insert(id);
  return {result.begin(), result.end()};
}

void type_table::require_open() const {
  if (closed_)
    throw invalid_state("add message types", "the actor system exists already",
                        "call troupe::use_messages before troupe::program");
}

void type_table::enter(caf::type_id_t type, entry what) {
  if (entries_.size() <= type)
    entries_.resize(std::size_t{type} + 1);
  entries_[type] = what;
}

std::string name_of(caf::type_id_t type) {
  if (const auto* meta = version::meta_of(type))
    return {meta->type_name.data(), meta->type_name.size()};
  return "(id " + std::to_string(type) + ")";
}

} // namespace troupe::transport
