// SPDX-License-Identifier: BSL-1.0
#include "samples.hpp"

#include <troupe/base/error.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <random>

namespace codec = troupe::codec;
using troupe::malformed_bytes;

namespace {

/// A copy that ends where its bytes end, so that AddressSanitizer sees a read
/// behind them.
struct exact_copy {
  explicit exact_copy(troupe::bytes_view from)
    : bytes(std::make_unique<std::byte[]>(from.size())), size(from.size()) {
    if (!from.empty())
      std::memcpy(bytes.get(), from.data(), size);
  }

  [[nodiscard]] troupe::bytes_view view() const {
    return {bytes.get(), size};
  }

  std::unique_ptr<std::byte[]> bytes;
  std::size_t size;
};

/// Decodes, whatever the bytes are; anything but a value or `malformed_bytes`
/// leaves the test.
template <class T>
bool decodes(troupe::bytes_view from) {
  try {
    static_cast<void>(codec::decode<T>(from));
    return true;
  } catch (const malformed_bytes&) {
    return false;
  }
}

template <class T>
std::string refusal(troupe::bytes_view from) {
  try {
    static_cast<void>(codec::decode<T>(from));
    return "decoded";
  } catch (const malformed_bytes& error) {
    return error.what();
  }
}

constexpr auto huge = std::numeric_limits<std::uint64_t>::max();

} // namespace

TEST_CASE("every prefix of a message is refused") {
  samples::visit_all([]<class T>(const T& value) {
    INFO(codec::type_name<T>());
    const auto message = codec::encode(value);
    for (std::size_t size = 0; size < message.body().size(); ++size)
      CHECK_FALSE(decodes<T>(exact_copy{message.body().first(size)}.view()));
  });
}

TEST_CASE("bytes left over are refused") {
  samples::visit_all([]<class T>(const T& value) {
    INFO(codec::type_name<T>());
    codec::packet message;
    codec::encode_into(message, value, 'x');
    CHECK_FALSE(decodes<T>(message.body()));
  });
}

TEST_CASE("changed bytes decode or are refused") {
  constexpr std::uint64_t seed = 20240229;
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  samples::visit_all([&random]<class T>(const T& value) {
    INFO(codec::type_name<T>());
    const auto message = codec::encode(value);
    if (message.empty())
      return;
    for (int round = 0; round < 300; ++round) {
      exact_copy changed{message.body()};
      for (auto flips = random() % 3 + 1; flips != 0; --flips)
        changed.bytes[random() % changed.size] ^= std::byte(1U << random() % 8);
      static_cast<void>(decodes<T>(changed.view()));
    }
  });
}

TEST_CASE("noise decodes or is refused") {
  std::mt19937_64 random{42};
  samples::visit_all([&random]<class T>(const T&) {
    INFO(codec::type_name<T>());
    for (int round = 0; round < 100; ++round) {
      std::vector<std::byte> noise(random() % 64);
      // Small numbers get further than large ones.
      const auto most = round % 2 == 0 ? 255U : 2U;
      for (auto& each : noise)
        each = std::byte(random() % (most + 1));
      static_cast<void>(decodes<T>(exact_copy{noise}.view()));
    }
  });
}

TEST_CASE("a forged length is refused before anything is allocated") {
  for (const auto forged :
       {huge, huge / 8, huge / 8 + 1, std::uint64_t{1} << 32}) {
    const auto message = codec::encode_all(forged, std::uint64_t{0});
    CHECK_FALSE(decodes<std::vector<int>>(message.body()));
    CHECK_FALSE(decodes<std::string>(message.body()));
    CHECK_FALSE(decodes<std::vector<std::string>>(message.body()));
    CHECK_FALSE(decodes<std::vector<bool>>(message.body()));
    CHECK_FALSE(decodes<std::vector<std::monostate>>(message.body()));
    CHECK_FALSE(decodes<std::vector<samples::account>>(message.body()));
    CHECK_FALSE(decodes<std::list<std::tuple<>>>(message.body()));
    CHECK_FALSE(decodes<std::set<int>>(message.body()));
    CHECK_FALSE(decodes<std::map<std::string, int>>(message.body()));
    CHECK_FALSE(decodes<std::forward_list<int>>(message.body()));
    CHECK_FALSE(decodes<std::forward_list<samples::empty>>(message.body()));
    CHECK_FALSE(decodes<std::valarray<double>>(message.body()));
    CHECK_FALSE(decodes<std::valarray<std::string>>(message.body()));
    CHECK_FALSE(decodes<std::queue<int>>(message.body()));
    CHECK_FALSE(decodes<std::error_code>(message.body()));
  }
}

TEST_CASE("values that do not exist are refused") {
  const auto two = codec::encode(std::uint8_t{2});
  CHECK_FALSE(decodes<bool>(two.body()));
  CHECK_FALSE(decodes<samples::yes_or_no>(two.body()));
  CHECK_FALSE(decodes<std::optional<samples::empty>>(two.body()));
  const auto index = codec::encode_all(std::uint16_t{2}, 0);
  CHECK_FALSE(decodes<std::variant<int, int>>(index.body()));
  const auto twice = codec::encode(std::vector<int>{1, 1});
  CHECK_FALSE(decodes<std::set<int>>(twice.body()));
  CHECK_FALSE(decodes<std::unordered_set<int>>(twice.body()));
  CHECK(decodes<std::multiset<int>>(twice.body()));
  const auto bits = codec::encode(std::uint8_t{0x20});
  CHECK_FALSE(decodes<std::bitset<5>>(bits.body()));
  CHECK(decodes<std::bitset<6>>(bits.body()));
  const auto code = codec::encode_all(std::string{"no category"}, 1);
  CHECK_FALSE(decodes<std::error_code>(code.body()));
  CHECK_FALSE(decodes<std::error_condition>(code.body()));
  CHECK(decodes<std::error_code>(
    codec::encode_all(std::string{"generic"}, 1).body()));
  for (const auto ages : {std::numeric_limits<std::int64_t>::min(),
                          std::numeric_limits<std::int64_t>::max()}) {
    const auto time = codec::encode(std::chrono::duration<std::int64_t>{ages});
    CHECK_FALSE(
      decodes<std::chrono::hh_mm_ss<std::chrono::seconds>>(time.body()));
    CHECK_FALSE(
      decodes<std::chrono::hh_mm_ss<std::chrono::hours>>(time.body()));
  }
  const auto nan = codec::encode(std::numeric_limits<double>::quiet_NaN());
  CHECK_FALSE(
    decodes<std::chrono::hh_mm_ss<std::chrono::duration<double>>>(nan.body()));
  CHECK_FALSE(decodes<samples::even>(codec::encode(3).body()));
  CHECK_FALSE(decodes<samples::account>(
    codec::encode(samples::account{"in debt", -1, {}}).body()));
}

TEST_CASE("a message that nests too deeply is refused") {
  std::vector<std::byte> body(100'000, std::byte{1});
  CHECK_FALSE(decodes<samples::chain>(body));
}

TEST_CASE("the error names the message, the position and the type") {
  const auto message = codec::encode_all(1, std::uint64_t{50}, 'x');
  const auto text = refusal<std::tuple<int, std::vector<int>>>(message.body());
  CHECK(text.find("decode std::tuple<") == 0);
  CHECK(text.find("at byte 12 of 13") != std::string::npos);
  CHECK(text.find("50 elements of 4 bytes") != std::string::npos);
}
