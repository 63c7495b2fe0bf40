// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/message_bytes.hpp>

#include <troupe/base/object_of_this_thread.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/system_messages.hpp>

#include <array>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace troupe::transport {

namespace {

using data_ptr = caf::intrusive_ptr<caf::detail::message_data>;

constexpr std::size_t image_start(std::size_t count) noexcept {
  return 2 + 2 * count;
}

/// Copies an element; most are a word or half of one.
void copy_element(std::byte* to, const std::byte* from,
                  std::size_t size) noexcept {
  if (size == 8)
    std::memcpy(to, from, 8);
  else if (size == 4)
    std::memcpy(to, from, 4);
  else if (size != 0)
    std::memcpy(to, from, size);
}

/// The type list for these ids. CAF interns lists under a lock of the whole
/// program, so each thread remembers the ones that it used lately.
caf::type_id_list intern(const caf::type_id_t* ids, std::size_t count) {
  struct remembered {
    std::vector<caf::type_id_t> key;
    caf::type_id_list list{nullptr};
  };
  auto* memory = object_of_this_thread<std::array<remembered, 64>>();
  std::size_t hash = count;
  for (std::size_t i = 0; i < count; ++i)
    hash = hash * 31 + ids[i];
  auto* slot = memory == nullptr ? nullptr : &(*memory)[hash % memory->size()];
  if (slot != nullptr && slot->key.size() == count
      && slot->list.data() != nullptr
      && std::equal(slot->key.begin(), slot->key.end(), ids))
    return slot->list;
  caf::detail::type_id_list_builder builder;
  for (std::size_t i = 0; i < count; ++i)
    builder.push_back(ids[i]);
  auto list = builder.move_to_list();
  if (slot != nullptr) {
    slot->key.assign(ids, ids + count);
    slot->list = list;
  }
  return list;
}

/// Empty storage for a message of these types. Throws `std::bad_alloc`.
data_ptr make_data(caf::type_id_list types, std::size_t bytes) {
  auto* memory = std::malloc(sizeof(caf::detail::message_data) + bytes);
  if (memory == nullptr)
    throw std::bad_alloc{};
  return data_ptr{new (memory) caf::detail::message_data(types), false};
}

/// The ids at the front of a message's bytes, checked one by one.
struct type_ids {
  std::array<caf::type_id_t, most_elements> ids;
  std::size_t count = 0;
  std::size_t storage = 0;

  read_result take(const std::byte* from, std::size_t number,
                   caf::type_id_t& unknown) noexcept {
    std::memcpy(ids.data(), from, number * sizeof(caf::type_id_t));
    count = number;
    for (std::size_t i = 0; i < count; ++i) {
      const auto* meta = version::meta_of(ids[i]);
      if (meta == nullptr) {
        unknown = ids[i];
        return read_result::unknown_type;
      }
      storage += meta->padded_size;
    }
    return read_result::done;
  }
};

/// A handle leaves the process. CAF shows it to the writer as a number; that of
/// an actor that has ended already would lead nowhere.
void note(const caf::strong_actor_ptr& actor) {
  if (auto* const own = node::current();
      own != nullptr && actor && own->is_local(actor))
    own->export_actor(actor);
}

std::uint16_t read_count(const std::byte* from) noexcept {
  std::uint16_t count = 0;
  std::memcpy(&count, from, sizeof count);
  return count;
}

} // namespace

std::optional<caf::type_id_t> unknown_type(caf::type_id_list types) noexcept {
  for (const auto type : types)
    if (version::meta_of(type) == nullptr)
      return type;
  return std::nullopt;
}

caf::error type_refusal(caf::type_id_t type, std::string_view why,
                        std::string_view to) {
  return make_error(errc::unknown_message_type,
                    "send a message with " + name_of(type) + std::string{to}
                      + ": " + std::string{why}
                      + "; name its type-id block in troupe::use_messages "
                        "before troupe::program, in every process");
}

void keep_for_ever(caf::message undying) {
  static auto& mutex = *new std::mutex;
  static auto& kept = *new std::vector<caf::message>;
  const std::scoped_lock held{mutex};
  kept.push_back(std::move(undying));
}

std::size_t image_size(const caf::message& from) noexcept {
  const auto types = from.types();
  if (types.size() > most_elements)
    return 0;
  const auto& table = type_table::current();
  std::size_t size = image_start(types.size());
  for (const auto type : types) {
    const auto entry = table.at(type);
    if (!entry.image)
      return 0;
    size += entry.size;
  }
  return size;
}

void write_image(const caf::message& from, std::byte* to) noexcept {
  const auto types = from.types();
  const auto count = static_cast<std::uint16_t>(types.size());
  std::memcpy(to, &count, sizeof count);
  if (count == 0)
    return;
  std::memcpy(to + 2, types.begin(), std::size_t{count} * 2);
  to += image_start(count);
  const auto& table = type_table::current();
  const auto all = caf::detail::global_meta_objects();
  const auto* at = reinterpret_cast<const std::byte*>(from.cdata().storage());
  for (const auto type : types) {
    const auto size = table.at(type).size;
    copy_element(to, at, size);
    to += size;
    at += all[type].padded_size;
  }
}

bool write_message(byte_writer& sink, const caf::message& from) {
  const auto types = from.types();
  if (types.size() > most_elements)
    return false;
  const auto count = static_cast<std::uint16_t>(types.size());
  if (!sink.append(&count, sizeof count)
      || !sink.append(types.begin(), std::size_t{count} * 2))
    return false;
  if (count == 0)
    return true;
  const auto all = caf::detail::global_meta_objects();
  const auto* at = from.cdata().storage();
  for (const auto type : types) {
    const auto& meta = all[type];
    if (type == caf::type_id_v<caf::actor>)
      note(caf::actor_cast<caf::strong_actor_ptr>(
        *reinterpret_cast<const caf::actor*>(at)));
    else if (type == caf::type_id_v<caf::strong_actor_ptr>)
      note(*reinterpret_cast<const caf::strong_actor_ptr*>(at));
    if (!meta.save(sink, at))
      return false;
    at += meta.padded_size;
  }
  return true;
}

read_result read_message(byte_reader& source, caf::message& to,
                         caf::type_id_t& type) {
  const auto* head = source.take(2);
  if (head == nullptr)
    return read_result::malformed;
  const auto count = read_count(head);
  if (count > most_elements)
    return read_result::malformed;
  if (count == 0) {
    to = caf::message{};
    return read_result::done;
  }
  const auto* from = source.take(std::size_t{count} * 2);
  if (from == nullptr)
    return read_result::malformed;
  type_ids ids;
  if (const auto result = ids.take(from, count, type);
      result != read_result::done)
    return result;
  auto data = make_data(intern(ids.ids.data(), count), ids.storage);
  const auto all = caf::detail::global_meta_objects();
  auto* at = data->storage();
  for (std::size_t i = 0; i < count; ++i) {
    const auto& meta = all[ids.ids[i]];
    meta.default_construct(at);
    data->inc_constructed_elements();
    if (!meta.load(source, at))
      return read_result::malformed;
    at += meta.padded_size;
  }
  to = caf::message{caf::message::data_ptr{std::move(data)}};
  return read_result::done;
}

read_result read_image(bytes_view from, caf::message& to,
                       caf::type_id_t& type) {
  if (from.size() < 2)
    return read_result::malformed;
  const auto count = read_count(from.data());
  if (count == 0) {
    to = caf::message{};
    return read_result::done;
  }
  const auto start = image_start(count);
  if (count > most_elements || from.size() < start)
    return read_result::malformed;
  type_ids ids;
  if (const auto result = ids.take(from.data() + 2, count, type);
      result != read_result::done)
    return result;
  const auto& table = type_table::current();
  auto size = start;
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = table.at(ids.ids[i]);
    if (!entry.image) {
      type = ids.ids[i];
      return read_result::unknown_type;
    }
    size += entry.size;
  }
  if (from.size() != size)
    return read_result::malformed;
  auto data = make_data(intern(ids.ids.data(), count), ids.storage);
  const auto all = caf::detail::global_meta_objects();
  auto* to_element = reinterpret_cast<std::byte*>(data->storage());
  const auto* at = from.data() + start;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bytes = table.at(ids.ids[i]).size;
    copy_element(to_element, at, bytes);
    at += bytes;
    to_element += all[ids.ids[i]].padded_size;
    data->inc_constructed_elements();
  }
  to = caf::message{caf::message::data_ptr{std::move(data)}};
  return read_result::done;
}

bool is_showable(const caf::error& received) noexcept {
  return !received
         || (version::meta_of(received.category()) != nullptr
             && type_table::current().at(received.category()).error_code);
}

void make_showable(caf::message& received) {
  const auto replacement = [] {
    return make_error(errc::malformed_bytes,
                      "an error arrived whose category is no error code here");
  };
  for (std::size_t i = 0; i < received.size(); ++i) {
    const auto type = received.type_at(i);
    if (type == caf::type_id_v<caf::error>) {
      if (!is_showable(received.get_as<caf::error>(i)))
        received.get_mutable_as<caf::error>(i) = replacement();
    } else if (type == caf::type_id_v<caf::exit_msg>) {
      if (!is_showable(received.get_as<caf::exit_msg>(i).reason))
        received.get_mutable_as<caf::exit_msg>(i).reason = replacement();
    } else if (type == caf::type_id_v<caf::down_msg>) {
      if (!is_showable(received.get_as<caf::down_msg>(i).reason))
        received.get_mutable_as<caf::down_msg>(i).reason = replacement();
    }
  }
}

} // namespace troupe::transport
