// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/byte_reader.hpp>
#include <troupe/transport/byte_writer.hpp>

#include <caf/error.hpp>
#include <caf/message.hpp>
#include <caf/type_id_list.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::transport {

/// The bytes of a message:
///
///     0     count   elements, 2 bytes
///     2     types   2 bytes each
///           elements, one after the other, as their inspect functions write
///           them; or, in an image, as the memory they are made of
///
/// An image costs two copies of memory per element; it is chosen where every
/// element's type allows it (`type_table`).

/// More elements than that are refused.
inline constexpr std::size_t most_elements = 1024;

/// Returns the first type in `types` that this process does not know.
[[nodiscard]] std::optional<caf::type_id_t>
unknown_type(caf::type_id_list types) noexcept;

/// The error of whoever sends a message with a type that cannot be sent: `why`,
/// and, for an actor of another machine, " to " with its name.
[[nodiscard]] caf::error type_refusal(caf::type_id_t type, std::string_view why,
                                      std::string_view to = {});

/// CAF destroys a message by a table that does not know such a type, so the
/// message must stay alive.
void keep_for_ever(caf::message undying);

/// Returns the size of the image of a message, 0 if it cannot be one.
[[nodiscard]] std::size_t image_size(const caf::message& from) noexcept;

/// Writes the image of a message of which `image_size` is not 0.
void write_image(const caf::message& from, std::byte* to) noexcept;

/// Writes a message whose types are all known. False if it does not fit or an
/// inspect function refuses; then `sink.get_error()` may say why.
[[nodiscard]] bool write_message(byte_writer& sink, const caf::message& from);

/// How reading a message went.
enum class read_result : std::uint8_t {
  done,
  /// Bytes that are no message.
  malformed,
  /// A type that this process does not know, or not as the sender does.
  unknown_type,
};

/// Reads what `write_message` wrote. `type` is set for `unknown_type`.
[[nodiscard]] read_result read_message(byte_reader& source, caf::message& to,
                                       caf::type_id_t& type);

/// Reads an image.
[[nodiscard]] read_result read_image(bytes_view from, caf::message& to,
                                     caf::type_id_t& type);

/// Whether an error that came from elsewhere is of a category that errors have,
/// so that it may be shown.
[[nodiscard]] bool is_showable(const caf::error& received) noexcept;

/// Replaces errors among the elements that are not showable.
void make_showable(caf::message& received);

} // namespace troupe::transport
