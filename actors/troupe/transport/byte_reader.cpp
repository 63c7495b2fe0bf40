// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/byte_reader.hpp>

#include <troupe/base/error.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/node.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/sec.hpp>
#include <caf/type_id.hpp>

namespace troupe::transport {

namespace {

/// Lists of empty elements (atoms) take no bytes for them; nobody sends more.
constexpr std::uint64_t most_empty_elements = 1 << 20;

/// So that no message can exhaust the stack of who reads it.
constexpr std::uint32_t deepest = 256;

} // namespace

void byte_reader::too_short() {
  emplace_error(caf::sec::end_of_stream);
}

bool byte_reader::handle(memory::reference& into) {
  auto kind = memory::object_kind::none;
  memory::object_id where = 0;
  if (!get(kind) || !get(where))
    return false;
  try {
    into = memory::reference::attach(where, kind);
    return true;
  } catch (const error& failure) {
    set_error(to_caf(failure));
    return false;
  }
}

bool byte_reader::fetch_next_object_type(caf::type_id_t& type) {
  type = caf::invalid_type_id;
  emplace_error(caf::sec::unsupported_operation);
  return false;
}

bool byte_reader::begin_object(caf::type_id_t type, text_view) {
  if (depth_ == deepest) {
    emplace_error(caf::sec::runtime_error, "objects nested too deep");
    return false;
  }
  ++depth_;
  if (type == caf::type_id_v<caf::strong_actor_ptr> && handle_depth_ == 0) {
    handle_depth_ = depth_;
    handle_at_ = at_;
  }
  return true;
}

/// An object ends that is a handle, or part of one: CAF looks for the actor
/// between the end of the last part and that of the handle.
bool byte_reader::end_in_handle() {
  if (depth_ == handle_depth_ + 1) {
    homecoming_.reset();
    const bytes_view written{handle_at_, at_};
    auto* const own = node::current();
    if (own != nullptr)
      if (const auto actor = own->is_handle_of_own(written))
        homecoming_.emplace(*own, *actor);
    return true;
  }
  if (depth_ != handle_depth_)
    return true;
  handle_depth_ = 0;
  again_ = homecoming_ && !homecoming_->found();
  homecoming_.reset();
  if (again_)
    emplace_error(caf::sec::runtime_error, "an actor has just ended");
  else if (const auto name = name_in_handle({handle_at_, at_}))
    actors_.push_back(*name);
  return !again_;
}

bool byte_reader::start_again() {
  if (!again_)
    return false;
  again_ = false;
  at_ = first_;
  depth_ = 0;
  elements_ = 0;
  handle_depth_ = 0;
  actors_.clear();
  set_error(caf::error{});
  return true;
}

bool byte_reader::begin_field(text_view, caf::span<const caf::type_id_t> types,
                              std::size_t& index) {
  std::uint32_t number = 0;
  if (!get(number))
    return false;
  if (number >= types.size()) {
    emplace_error(caf::sec::invalid_field_type);
    return false;
  }
  index = number;
  return true;
}

bool byte_reader::begin_field(text_view name, bool& is_present,
                              caf::span<const caf::type_id_t> types,
                              std::size_t& index) {
  std::uint32_t number = 0;
  if (!get(number))
    return false;
  is_present = number != 0xFFFF'FFFF;
  if (!is_present)
    return true;
  at_ -= sizeof number;
  return begin_field(name, types, index);
}

bool byte_reader::begin_sequence(std::size_t& size) {
  std::uint64_t number = 0;
  if (!get(number))
    return false;
  elements_ += number;
  if (number > left() + most_empty_elements
      || elements_ > total_ + most_empty_elements) {
    too_short();
    return false;
  }
  size = static_cast<std::size_t>(number);
  return true;
}

bool byte_reader::value(bool& x) {
  std::uint8_t number = 0;
  if (!get(number))
    return false;
  if (number > 1) {
    emplace_error(caf::sec::invalid_argument);
    return false;
  }
  x = number != 0;
  return true;
}

template <class String>
bool byte_reader::get_string(String& x) {
  using character = typename String::value_type;
  std::uint64_t size = 0;
  if (!get(size))
    return false;
  if (size > left() / sizeof(character)) {
    too_short();
    return false;
  }
  const auto length = static_cast<std::size_t>(size);
  const auto* from = take(length * sizeof(character));
  if constexpr (sizeof(character) == 1) {
    x.assign(reinterpret_cast<const character*>(from), length);
  } else {
    x.resize(length);
    if (length != 0)
      std::memcpy(x.data(), from, length * sizeof(character));
  }
  return true;
}

bool byte_reader::value(std::string& x) {
  return get_string(x);
}

bool byte_reader::value(std::u16string& x) {
  return get_string(x);
}

bool byte_reader::value(std::u32string& x) {
  return get_string(x);
}

bool byte_reader::value(caf::span<byte> x) {
  const auto* from = take(x.size());
  if (from == nullptr)
    return false;
  if (!x.empty())
    std::memcpy(x.data(), from, x.size());
  return true;
}

bool byte_reader::list(std::vector<bool>& xs) {
  std::size_t size = 0;
  if (!begin_sequence(size))
    return false;
  xs.clear();
  for (std::size_t i = 0; i < size; ++i) {
    bool x = false;
    if (!value(x))
      return false;
    xs.push_back(x);
  }
  return true;
}

} // namespace troupe::transport
