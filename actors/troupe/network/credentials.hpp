// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/key.hpp>
#include <troupe/os/descriptor.hpp>

#include <string>

namespace troupe::network {

/// A private key of Ed25519 and a certificate that it has signed itself, both
/// derived from a shared key alone: each end derives the same, shows it, and
/// trusts it alone. Whoever cannot derive it cannot sign with it.
///
/// They are kept in files without a name, for CAF reads files: nothing touches
/// a disk, and the kernel forgets them with the process.
class credentials {
public:
  /// Takes a tenth of a second and 32 MiB, on purpose: so does each guess of
  /// somebody who tries passphrases. Throws `invalid_state`, `os_failure`.
  explicit credentials(const key& shared);

  [[nodiscard]] std::string private_key_path() const;
  [[nodiscard]] std::string certificate_path() const;

private:
  os::descriptor private_key_;
  os::descriptor certificate_;
};

} // namespace troupe::network
