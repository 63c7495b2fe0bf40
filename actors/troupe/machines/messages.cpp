// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/messages.hpp>

#include <troupe/base/error.hpp>

namespace troupe::machines {

bytes raw_message(message_kind kind, bytes_view content) {
  bytes made;
  made.reserve(content.size() + 1);
  made.push_back(static_cast<std::byte>(kind));
  made.insert(made.end(), content.begin(), content.end());
  return made;
}

message_kind kind_of(bytes_view message) {
  if (message.empty())
    throw malformed_bytes("read a message between machines", "it is empty");
  const auto number = std::to_integer<std::uint8_t>(message.front());
  if (number < static_cast<std::uint8_t>(message_kind::introduction)
      || number > static_cast<std::uint8_t>(message_kind::actors))
    throw malformed_bytes("read a message between machines",
                          "there is no kind " + std::to_string(number));
  return static_cast<message_kind>(number);
}

} // namespace troupe::machines
