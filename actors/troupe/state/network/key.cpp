// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/network/key.hpp>

#include <troupe/base/error.hpp>

#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace troupe::network {

key::key(std::string secret) : secret_(std::move(secret)) {
  if (secret_.size() < least_size) {
    OPENSSL_cleanse(secret_.data(), secret_.size());
    throw invalid_argument(
      "use a key", "it has less than " + std::to_string(least_size) + " bytes",
      "make one with network::key::random()");
  }
}

key key::random() {
  std::array<unsigned char, 32> bits{};
  if (RAND_bytes(bits.data(), static_cast<int>(bits.size())) != 1)
    throw invalid_state("make a random key", "OpenSSL has no random bits");
  constexpr std::string_view digits{"0123456789abcdef"};
  std::string text;
  text.reserve(2 * bits.size());
  for (const auto each : bits) {
    text += digits[each >> 4U];
    text += digits[each & 15U];
  }
  OPENSSL_cleanse(bits.data(), bits.size());
  return key{std::move(text)};
}

key key::from_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file)
    throw os_failure("read a key from " + path);
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  return key{std::move(text)};
}

key::~key() {
  OPENSSL_cleanse(secret_.data(), secret_.size());
}

} // namespace troupe::network
