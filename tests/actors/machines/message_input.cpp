// SPDX-License-Identifier: BSL-1.0
#include "message_input.hpp"

#include <troupe/base/error.hpp>
#include <troupe/machines/messages.hpp>

#include <cstdlib>
#include <iostream>

namespace fuzz {

namespace {

using namespace troupe::machines;

template <class Content>
void read(message_kind kind, troupe::bytes_view from) {
  const auto written = message(kind, content_of<Content>(from));
  if (message(kind, content_of<Content>(written)) != written) {
    std::cerr << "a message of kind " << static_cast<int>(kind)
              << " was read otherwise than it was written" << std::endl;
    std::abort();
  }
}

std::vector<std::uint8_t> as_input(const troupe::bytes& from) {
  std::vector<std::uint8_t> made;
  for (const auto each : from)
    made.push_back(std::to_integer<std::uint8_t>(each));
  return made;
}

} // namespace

bool feed_message(std::span<const std::uint8_t> input) {
  const auto from = std::as_bytes(input);
  try {
    const auto kind = kind_of(from);
    switch (kind) {
      case message_kind::start: read<start_order>(kind, from); break;
      case message_kind::signal: read<signal_order>(kind, from); break;
      case message_kind::printed: read<printed_note>(kind, from); break;
      case message_kind::ended: read<ended_note>(kind, from); break;
      case message_kind::output: read<output_note>(kind, from); break;
      // See handshake_input.hpp; and what has no content that is read.
      case message_kind::introduction:
      case message_kind::verdict:
      case message_kind::leave:
      case message_kind::leaving:
      case message_kind::left: break;
      // See gateway.test.cpp.
      case message_kind::actors: break;
    }
    return true;
  } catch (const troupe::malformed_bytes&) {
    return false;
  }
}

std::vector<std::vector<std::uint8_t>> right_messages() {
  start_order start;
  start.number = 3;
  start.module = 0x1234'5678;
  start.offset = 77;
  start.library = "libcook.so";
  start.name = "cook";
  start.method = 1;
  start.arguments.assign(40, std::byte{5});
  ended_note died;
  died.number = 3;
  died.became = ended_note::how::died;
  died.pid = 4711;
  died.process = "process-1";
  died.ending = 3;
  died.type = "std::logic_error";
  died.text = "the oven is cold";
  died.causes = {{"std::runtime_error", "no gas"}, {"int", "1"}};
  died.last_lines = "the flame is out\n";
  ended_note returned;
  returned.became = ended_note::how::returned;
  returned.result.assign(9, std::byte{1});
  return {as_input(message(message_kind::start, start)),
          as_input(message(message_kind::signal, signal_order{3, 15})),
          as_input(message(message_kind::printed, printed_note{1U << 20})),
          as_input(message(message_kind::ended, died)),
          as_input(message(message_kind::ended, returned)),
          as_input(message(message_kind::output, output_note{2, "a\nb\n"})),
          as_input(message(message_kind::leaving, true)),
          as_input(message(message_kind::left, true))};
}

} // namespace fuzz
