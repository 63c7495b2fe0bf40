// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::network {

/// The secret that both ends of a connection share: whoever has it may do with
/// the published state whatever the publisher may, and nobody else anything.
///
/// It is never sent and never printed. A passphrase serves; but whoever can
/// reach the port can try passphrases at leisure, some ten a second and
/// processor, so it should be one that nobody guesses. `random()` is.
///
/// Its memory, and that of every copy which the library makes, is wiped before
/// it is given back.
class key {
public:
  static constexpr std::size_t least_size = 16;
  static constexpr std::size_t most_in_file = 4096;

  /// Throws `invalid_argument` if it has less than `least_size` bytes.
  explicit key(std::string secret);

  /// A new one: 256 random bits, as 64 hexadecimal digits.
  [[nodiscard]] static key random();

  /// Reads a file that holds nothing else; a line end behind it is not part of
  /// it. It is a regular file of this user's, or root's, that no one else may
  /// read or write (`chmod 600`), of at most `most_in_file` bytes. Throws
  /// `os_failure` (there is none, it may not be read), `invalid_argument`
  /// (anything else, which the text says).
  [[nodiscard]] static key from_file(const std::string& path);

  key(const key&) = default;
  key& operator=(const key&) = delete;
  ~key();

  /// The secret in clear, to hand it on or to keep it in a file.
  [[nodiscard]] std::string_view reveal() const noexcept {
    return secret_;
  }

private:
  std::string secret_;
};

} // namespace troupe::network
