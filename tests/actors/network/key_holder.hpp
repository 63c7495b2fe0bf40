// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/network/frame.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace troupe::test {

/// A frame that somebody with the key makes by hand.
struct forged_frame {
  network::frame_kind kind;
  std::uint64_t tag = 0;
  bytes content;

  forged_frame(network::frame_kind of, std::uint64_t named, bytes holds = {})
    : kind(of), tag(named), content(std::move(holds)) {
  }

  template <std::size_t Size>
  forged_frame(network::frame_kind of, std::uint64_t named,
               const std::array<std::byte, Size>& holds)
    : forged_frame(of, named, bytes(holds.begin(), holds.end())) {
  }
};

/// The frames in their order, numbered from `first`.
[[nodiscard]] inline bytes forged_bytes(const std::vector<forged_frame>& frames,
                                        std::uint32_t first = 0) {
  bytes made;
  for (const auto& each : frames) {
    const auto head = to_bytes(network::frame_header{
      first++, each.kind, static_cast<std::uint32_t>(each.content.size()),
      each.tag});
    made.insert(made.end(), head.begin(), head.end());
    made.insert(made.end(), each.content.begin(), each.content.end());
  }
  return made;
}

/// How a client begins.
[[nodiscard]] inline forged_frame forged_hello() {
  return {network::frame_kind::hello, 0,
          to_bytes(
            network::hello_content{network::protocol_version, 1, 10'000})};
}

/// The same behind a client's hello.
[[nodiscard]] inline bytes forged_messages(std::vector<forged_frame> frames) {
  frames.insert(frames.begin(), forged_hello());
  return forged_bytes(frames);
}

} // namespace troupe::test
