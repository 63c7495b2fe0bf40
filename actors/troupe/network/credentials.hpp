// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/key.hpp>

#include <memory>

#include <openssl/ssl.h>
#include <openssl/types.h>

namespace troupe::network {

/// A private key of Ed25519 and a certificate that it has signed itself, both
/// derived from a shared key alone: each end derives the same, shows it, and
/// trusts it alone. Whoever cannot derive it cannot sign with it.
///
/// They are in no file, and are wiped at their end.
class credentials {
public:
  /// Takes a tenth of a second and 32 MiB, on purpose: so does each guess of
  /// somebody who tries passphrases. Throws `invalid_state`.
  explicit credentials(const key& shared);

  /// The same, or what was derived from the same key in this process and is
  /// still in use. Thread-safe.
  [[nodiscard]] static std::shared_ptr<const credentials> of(const key& shared);

  credentials(const credentials&) = delete;
  credentials& operator=(const credentials&) = delete;
  ~credentials();

  [[nodiscard]] EVP_PKEY* private_key() const noexcept {
    return private_key_.get();
  }

  [[nodiscard]] X509* certificate() const noexcept {
    return certificate_.get();
  }

private:
  template <auto Free>
  struct freed {
    template <class T>
    void operator()(T* object) const noexcept {
      Free(object);
    }
  };

  key from_;
  std::unique_ptr<EVP_PKEY, freed<EVP_PKEY_free>> private_key_;
  std::unique_ptr<X509, freed<X509_free>> certificate_;
};

/// What all sessions of one end share: TLS 1.3 alone, in which each end shows
/// the certificate of the key and takes no other.
class tls_context {
public:
  enum class role : unsigned char { client, server };

  /// Throws `invalid_state`.
  tls_context(std::shared_ptr<const credentials> shown, role as);

  [[nodiscard]] SSL_CTX* get() const noexcept {
    return context_.get();
  }

  [[nodiscard]] role as() const noexcept {
    return role_;
  }

private:
  struct freed {
    void operator()(SSL_CTX* of) const noexcept {
      SSL_CTX_free(of);
    }
  };

  std::shared_ptr<const credentials> shown_;
  std::unique_ptr<SSL_CTX, freed> context_;
  role role_;
};

} // namespace troupe::network
