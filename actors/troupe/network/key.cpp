// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/key.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/private_file.hpp>

#include <array>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace troupe::network {

namespace {

/// Bytes that are wiped with their block.
template <class T, std::size_t Size>
class wiped : public std::array<T, Size> {
public:
  wiped() : std::array<T, Size>{} {
  }
  ~wiped() {
    OPENSSL_cleanse(this->data(), Size * sizeof(T));
  }
  wiped(const wiped&) = delete;
  wiped& operator=(const wiped&) = delete;
};

void wipe(std::string& text) noexcept {
  // Also what is left of a longer one, or of one that was moved out.
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
}

} // namespace

key::key(std::string secret) : secret_(std::move(secret)) {
  // A short one is copied by a move.
  wipe(secret);
  if (secret_.size() < least_size) {
    wipe(secret_);
    throw invalid_argument(
      "use a key", "it has less than " + std::to_string(least_size) + " bytes",
      "make one with network::key::random()");
  }
}

key key::random() {
  wiped<unsigned char, 32> bits;
  if (RAND_bytes(bits.data(), static_cast<int>(bits.size())) != 1)
    throw invalid_state("make a random key", "OpenSSL has no random bits");
  constexpr std::string_view digits{"0123456789abcdef"};
  std::string text;
  text.reserve(2 * bits.size());
  for (const auto each : bits) {
    text += digits[each >> 4U];
    text += digits[each & 15U];
  }
  return key{std::move(text)};
}

key key::from_file(const std::string& path) {
  wiped<char, most_in_file> bytes;
  std::string_view text{bytes.data(),
                        os::read_private_file(path, bytes, "a key")};
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.remove_suffix(1);
  if (text.size() < least_size)
    throw invalid_argument(
      "read a key from " + path,
      text.empty()
        ? std::string{"it is empty"}
        : "it has less than " + std::to_string(least_size) + " bytes",
      "write what network::key::random().reveal() gives into it");
  return key{std::string{text}};
}

key::~key() {
  wipe(secret_);
}

} // namespace troupe::network
