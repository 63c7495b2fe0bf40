// SPDX-License-Identifier: BSL-1.0

// Who comes to the port of a lead and has not the key, while machines join and
// work.

#include "together.hpp"

#include <troupe/base/deadline.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/tcp.hpp>

#include <doctest/doctest.h>
#include <support/seed.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <sys/socket.h>

using namespace troupe::test;

namespace {

/// Connections of strangers: some say nothing, some say anything.
class strangers {
public:
  explicit strangers(const std::string& where)
    : port_(static_cast<std::uint16_t>(
        std::stoi(where.substr(where.rfind(':') + 1)))) {
  }

  void come(int count) {
    for (int i = 0; i < count; ++i) {
      auto& one = all_.emplace_back(troupe::os::connect_tcp(
        "127.0.0.1", port_, troupe::deadline::after(std::chrono::seconds{20})));
      if (i % 3 == 0)
        continue;
      std::array<char, 400> words{};
      for (auto& each : words)
        each = static_cast<char>(random_());
      // As TLS begins: a handshake of so many bytes.
      if (i % 3 == 1) {
        constexpr std::array<unsigned char, 5> head{0x16, 3, 1, 1, 0x80};
        for (std::size_t k = 0; k < head.size(); ++k)
          words[k] = static_cast<char>(head[k]);
      }
      static_cast<void>(
        ::send(one.get(), words.data(), words.size(), MSG_NOSIGNAL));
    }
  }

private:
  std::uint16_t port_;
  std::minstd_rand random_{seed()};
  std::vector<troupe::os::descriptor> all_;
};

} // namespace

TEST_CASE("strangers at the port keep no machine from joining and working, and "
          "are told of in few lines") {
  leading lead{{"nap", "1.5"}};
  strangers crowd{lead.where()};
  crowd.come(200);
  joining kitchen{lead.where(), {"--troupe.name=kitchen"}};
  REQUIRE(kitchen.joins());
  crowd.come(200);
  REQUIRE(lead.wait_for("kitchen│ began"));
  crowd.come(200);
  CHECK(exited_with(lead.wait(), 0));
  CHECK(lead.output().find("result 7 after") != std::string::npos);
  CHECK(lead.output().find("is lost") == std::string::npos);
  CHECK(exited_with(kitchen.wait(), 0));
  // The first fifty and some each second, and then counts.
  CHECK(count(lead.output(), "has turned away") > 0);
  CHECK(count(lead.output(), "has turned away") < 100);
  CHECK(leaves_nothing(lead.run()));
  CHECK(leaves_nothing(kitchen.run()));
}
